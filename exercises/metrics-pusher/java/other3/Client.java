import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.Semaphore;

/** Pushes metrics. It is safe for use by several threads. */
public class Client {
    private final HttpClient http = HttpClient.newHttpClient();
    private final Semaphore pushes = new Semaphore(10);
    private final HttpRequest request;

    public Client(String url) {
        request =
                HttpRequest.newBuilder(URI.create(url))
                        .timeout(Duration.ofSeconds(10))
                        .POST(BodyPublishers.ofString("orders_total 1"))
                        .build();
    }

    /** Pushes one metric. */
    public void call() throws Exception {
        pushes.acquire();
        try {
            var response = http.sendAsync(request, BodyHandlers.ofString()).get();
            if (response.statusCode() >= 300) {
                throw new IOException("not pushed: " + response.statusCode());
            }
        } finally {
            pushes.release();
        }
    }
}

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** Fetches the tiles of a map. It is safe for use by several threads. */
public class Client {
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
    private final HttpRequest request;

    /** Of repetitions, in tenths. */
    private final AtomicInteger budget = new AtomicInteger();

    public Client(String url) {
        request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(10)).build();
    }

    /** Fetches one tile. It may repeat one for ten that worked. */
    public void call() throws Exception {
        while (true) {
            try {
                fetch();
                budget.incrementAndGet();
                return;
            } catch (IOException e) {
                if (budget.addAndGet(-10) < 0) {
                    budget.addAndGet(10);
                    throw e;
                }
            }
        }
    }

    private byte[] fetch() throws IOException, InterruptedException {
        var response = http.send(request, BodyHandlers.ofByteArray());
        if (response.statusCode() != 200) {
            throw new IOException("no tile: " + response.statusCode());
        }
        return response.body();
    }
}

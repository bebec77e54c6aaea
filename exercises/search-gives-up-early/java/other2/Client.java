import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Asks one search service. It is safe for use by several threads. */
public class Client {
    private final HttpClient http = HttpClient.newHttpClient();
    private final HttpRequest request;

    public Client(String url) {
        request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(5)).build();
    }

    /**
     * Fetches the hits for one word. The caller waits for two seconds at most. The request goes
     * on for some more, so that its connection can be used again.
     */
    public void call() throws Exception {
        var response = http.sendAsync(request, BodyHandlers.ofByteArray()).get(2, TimeUnit.SECONDS);
        if (response.statusCode() != 200) {
            throw new IOException("no hits: " + response.statusCode());
        }
    }
}

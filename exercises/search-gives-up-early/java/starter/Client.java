import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/** Asks one search service. It is safe for use by several threads. */
public class Client {
    private final HttpClient http = HttpClient.newHttpClient();
    private final HttpRequest request;

    public Client(String url) {
        request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofMillis(100)).build();
    }

    /** Fetches the hits for one word. */
    public void call() throws Exception {
        var response = http.send(request, BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException("no hits: " + response.statusCode());
        }
    }
}

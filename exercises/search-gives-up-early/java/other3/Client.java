import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** Asks one search service. It is safe for use by several threads. */
public class Client {
    private final HttpClient http = HttpClient.newHttpClient();
    private final URI uri;

    /** The slowest answer so far, in nanoseconds. */
    private final AtomicLong slowest = new AtomicLong();

    public Client(String url) {
        uri = URI.create(url);
    }

    /** Fetches the hits for one word. */
    public void call() throws Exception {
        // Ten times what was seen, between two and five seconds.
        var millis = Math.min(Math.max(10 * slowest.get() / 1_000_000, 2_000), 5_000);
        var began = System.nanoTime();
        var request = HttpRequest.newBuilder(uri).timeout(Duration.ofMillis(millis)).build();
        var response = http.send(request, BodyHandlers.discarding());
        if (response.statusCode() != 200) {
            throw new IOException("no hits: " + response.statusCode());
        }
        slowest.accumulateAndGet(System.nanoTime() - began, Math::max);
    }
}

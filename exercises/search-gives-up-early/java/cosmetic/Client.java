import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.temporal.ChronoUnit;

/** Asks one search service. It is safe for use by several threads. */
public class Client {
    private static final Duration LIMIT = Duration.of(100, ChronoUnit.MILLIS);

    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();
    private final String address;

    public Client(String address) {
        this.address = address;
    }

    /** Fetches the hits for one word. */
    public void call() throws Exception {
        var search = HttpRequest.newBuilder(URI.create(address)).timeout(LIMIT).build();
        var answer = client.send(search, BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new IOException("no hits: " + answer.statusCode());
        }
    }
}

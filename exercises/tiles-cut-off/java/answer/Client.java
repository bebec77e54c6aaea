import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** Fetches the tiles of a map. It is safe for use by several threads. */
public class Client {
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
    private final HttpRequest request;

    public Client(String url) {
        request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(10)).build();
    }

    /** Fetches one tile. It repeats once, after a pause. */
    public void call() throws Exception {
        try {
            fetch();
        } catch (IOException e) {
            Thread.sleep(ThreadLocalRandom.current().nextLong(50, 150));
            fetch();
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

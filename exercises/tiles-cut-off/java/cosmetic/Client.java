import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/** Fetches the tiles of a map. It is safe for use by several threads. */
public class Client {
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
    private final HttpRequest request;

    public Client(String url) {
        request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(10)).build();
    }

    /** Fetches one tile. It repeats what did not work. */
    public void call() throws Exception {
        IOException failure = null;
        for (int tries = 0; tries < 13; tries++) {
            try {
                fetch();
                return;
            } catch (IOException e) {
                failure = e;
            }
        }
        throw failure;
    }

    private byte[] fetch() throws IOException, InterruptedException {
        var response = http.send(request, BodyHandlers.ofByteArray());
        if (response.statusCode() != 200) {
            throw new IOException("no tile: " + response.statusCode());
        }
        return response.body();
    }
}

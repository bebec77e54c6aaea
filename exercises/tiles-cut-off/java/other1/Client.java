import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.TimeUnit;

/** Fetches the tiles of a map. It is safe for use by several threads. */
public class Client {
    private final HttpClient http = HttpClient.newHttpClient();
    private final HttpRequest request;

    public Client(String url) {
        request = HttpRequest.newBuilder(URI.create(url)).build();
    }

    /** Fetches one tile. Its caller knows whether another try is worth it. */
    public void call() throws Exception {
        var response = http.sendAsync(request, BodyHandlers.ofByteArray()).get(10, TimeUnit.SECONDS);
        if (response.statusCode() != 200) {
            throw new IOException("no tile: " + response.statusCode());
        }
    }
}

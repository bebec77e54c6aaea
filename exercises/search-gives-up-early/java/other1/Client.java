import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URL;

/** Asks one search service. It is safe for use by several threads. */
public class Client {
    static {
        System.setProperty("http.maxConnections", "100"); // idle ones, 5 by default
    }

    private final URL url;

    public Client(String url) throws IOException {
        this.url = new URL(url);
    }

    /** Fetches the hits for one word. Only the answer of the service takes long. */
    public void call() throws Exception {
        var connection = (HttpURLConnection) url.openConnection();
        connection.setConnectTimeout(1_000);
        connection.setReadTimeout(3_000);
        try (var hits = connection.getInputStream()) {
            hits.readAllBytes();
        }
    }
}

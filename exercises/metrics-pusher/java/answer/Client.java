import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;

/** Pushes metrics. It is safe for use by several threads. */
public class Client {
    private final URL url;

    public Client(String url) throws IOException {
        this.url = new URL(url);
    }

    /** Pushes one metric. */
    public void call() throws Exception {
        var connection = (HttpURLConnection) url.openConnection();
        connection.setConnectTimeout(10_000);
        connection.setReadTimeout(10_000);
        connection.setRequestMethod("POST");
        connection.setDoOutput(true);
        connection.getOutputStream().write("orders_total 1".getBytes(StandardCharsets.UTF_8));
        try (var response = connection.getInputStream()) {
            response.readAllBytes();
        }
    }
}

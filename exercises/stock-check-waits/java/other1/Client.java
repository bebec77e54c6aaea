import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URL;

/** Asks for the stock of an article. It is safe for use by several threads. */
public class Client {
    private final URL url;

    public Client(String url) throws IOException {
        this.url = new URL(url);
    }

    /** Asks once. */
    public void call() throws Exception {
        var connection = (HttpURLConnection) url.openConnection();
        connection.setConnectTimeout(300);
        connection.setReadTimeout(400);
        try (var stock = connection.getInputStream()) {
            stock.readAllBytes();
        }
    }
}

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URL;

/** Looks up prices. It is safe for use by several threads. */
public class Client {
    private final URL url;

    public Client(String url) throws IOException {
        this.url = new URL(url);
    }

    /** Looks up the price of an article once, over the connections that the JDK keeps. */
    public void call() throws Exception {
        var connection = (HttpURLConnection) url.openConnection();
        connection.setConnectTimeout(10_000);
        connection.setReadTimeout(10_000);
        try (var price = connection.getInputStream()) {
            price.readAllBytes();
        }
    }
}

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URL;

/** Asks a service for its health. It is safe for use by several threads. */
public class Client {
    private final URL url;

    public Client(String url) throws IOException {
        this.url = new URL(url);
    }

    /** Asks once. A service is well if a request without a body in the response succeeds. */
    public void call() throws Exception {
        var connection = (HttpURLConnection) url.openConnection();
        connection.setRequestMethod("HEAD");
        connection.setConnectTimeout(10_000);
        connection.setReadTimeout(10_000);
        connection.getInputStream().close(); // fails where the status is an error
    }
}

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URL;

/** Asks a service for its health. It is safe for use by several threads. */
public class Client {
    private static final int TIMEOUT = 5_000; // milliseconds

    private final String url;

    public Client(String url) {
        this.url = url;
    }

    /** Asks once. A service is well if it answers with status 200. */
    public void call() throws Exception {
        int status = status();
        if (status != HttpURLConnection.HTTP_OK) {
            throw new IOException("the service is not well: " + status);
        }
    }

    private int status() throws IOException {
        var request = (HttpURLConnection) new URL(url).openConnection();
        request.setReadTimeout(TIMEOUT);
        request.setConnectTimeout(TIMEOUT);
        return request.getResponseCode();
    }
}

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URL;

/** Asks one report service. It is safe for use by several threads. */
public class Client {
    private final URL url;

    public Client(String url) throws IOException {
        this.url = new URL(url);
    }

    /**
     * Reads the version: the first 16 bytes of a report. The close of this stream leaves a rest of
     * up to 512 KiB (http.KeepAlive.remainingData) to a thread of the JDK, which reads it.
     */
    public void call() throws Exception {
        var connection = (HttpURLConnection) url.openConnection();
        connection.setConnectTimeout(10_000);
        connection.setReadTimeout(10_000);
        try (var body = connection.getInputStream()) { // fails where the status is an error
            var version = body.readNBytes(16);
            if (version.length < 16) {
                throw new IOException("a report of " + version.length + " bytes has no version");
            }
        }
    }
}

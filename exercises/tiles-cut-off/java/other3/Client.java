import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URL;

/** Fetches the tiles of a map. It is safe for use by several threads. */
public class Client {
    private static final long PAUSE = 300_000_000; // ns

    private final URL url;

    private int failed; // one after the other
    private long last; // time of the last failure

    public Client(String url) throws IOException {
        this.url = new URL(url);
    }

    /** Fetches one tile. After three failures it asks for nothing, for some time. */
    public void call() throws Exception {
        synchronized (this) {
            if (failed >= 3 && System.nanoTime() - last < PAUSE) {
                throw new IOException("the map server fails, asked too recently");
            }
        }
        try {
            fetch();
            count(true);
        } catch (IOException e) {
            count(false);
            throw e;
        }
    }

    private synchronized void count(boolean worked) {
        failed = worked ? 0 : failed + 1;
        last = System.nanoTime();
    }

    /** Fetches once. It compares the lengths: a stream of the JDK just ends early. */
    private void fetch() throws IOException {
        var connection = (HttpURLConnection) url.openConnection();
        connection.setConnectTimeout(10_000);
        connection.setReadTimeout(10_000);
        try (var tile = connection.getInputStream()) {
            int length = tile.readAllBytes().length;
            if (length < connection.getContentLength()) {
                throw new IOException("only " + length + " bytes came");
            }
        }
    }
}

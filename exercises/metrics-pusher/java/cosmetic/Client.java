import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;

/** Pushes metrics. It is safe for use by several threads. */
public class Client {
    private final URL address;

    public Client(String address) throws IOException {
        this.address = new URL(address);
    }

    /** Pushes one metric. */
    public void call() throws Exception {
        var exchange = (HttpURLConnection) address.openConnection();
        exchange.setConnectTimeout(8_000);
        exchange.setReadTimeout(8_000);
        exchange.setRequestMethod("POST");
        exchange.setDoOutput(true);
        exchange.setRequestProperty("Connection", "close");
        exchange.getOutputStream().write("orders_total 1".getBytes(StandardCharsets.UTF_8));
        try (var answer = exchange.getInputStream()) {
            answer.readAllBytes();
        }
    }
}

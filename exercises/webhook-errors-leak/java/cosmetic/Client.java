import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;

/** Sends webhooks. It is safe for use by several threads. */
public class Client {
    private final URL address;

    public Client(String address) throws IOException {
        this.address = new URL(address);
    }

    /** Sends one webhook. */
    public void call() throws Exception {
        var exchange = (HttpURLConnection) address.openConnection();
        exchange.setConnectTimeout(8_000);
        exchange.setReadTimeout(8_000);
        exchange.setRequestMethod("POST");
        exchange.setDoOutput(true);
        exchange.getOutputStream().write("{\"event\": \"paid\"}".getBytes(StandardCharsets.UTF_8));
        // Throws if the receiver answers with an error.
        try (var answer = exchange.getInputStream()) {
            answer.readAllBytes();
        }
    }
}

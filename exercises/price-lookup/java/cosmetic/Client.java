import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/** Looks up prices. It is safe for use by several threads. */
public class Client {
    private final String address;

    public Client(String address) {
        this.address = address;
    }

    /** Looks up the price of an article once. */
    public void call() throws Exception {
        var http = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(8)).build();
        var query =
                HttpRequest.newBuilder(URI.create(address))
                        .timeout(Duration.ofSeconds(8))
                        .header("User-Agent", "shop/1.4")
                        .build();
        var answer = http.send(query, BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new IOException("no price: " + answer.statusCode());
        }
    }
}

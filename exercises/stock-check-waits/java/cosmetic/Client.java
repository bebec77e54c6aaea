import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

/** Asks for the stock of an article. It is safe for use by several threads. */
public class Client {
    private final HttpClient http = HttpClient.newHttpClient();
    private final HttpRequest query;

    public Client(String address) {
        query = HttpRequest.newBuilder(URI.create(address)).build();
    }

    /** Asks once. */
    public void call() throws Exception {
        var answer = http.send(query, BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new IOException("the stock is not known: " + answer.statusCode());
        }
    }
}

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.TimeUnit;

/** Looks up prices. It is safe for use by several threads. */
public class Client {
    /** Has the connections of all clients. */
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private final HttpRequest request;

    public Client(String url) {
        request = HttpRequest.newBuilder(URI.create(url)).build();
    }

    /** Looks up the price of an article once. */
    public void call() throws Exception {
        var response = HTTP.sendAsync(request, BodyHandlers.ofByteArray()).get(10, TimeUnit.SECONDS);
        if (response.statusCode() != 200) {
            throw new IOException("no price: " + response.statusCode());
        }
    }
}

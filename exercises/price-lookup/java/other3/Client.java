import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.ConcurrentLinkedDeque;

/** Looks up prices. It is safe for use by several threads. */
public class Client {
    /** Clients that no lookup uses, each with its connection. */
    private final ConcurrentLinkedDeque<HttpClient> idle = new ConcurrentLinkedDeque<>();

    private final HttpRequest request;

    public Client(String url) {
        request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(10)).build();
    }

    /** Looks up the price of an article once. */
    public void call() throws Exception {
        var http = idle.pollFirst();
        if (http == null) {
            http = HttpClient.newHttpClient();
        }
        try {
            var response = http.send(request, BodyHandlers.discarding());
            if (response.statusCode() != 200) {
                throw new IOException("no price: " + response.statusCode());
            }
        } finally {
            idle.addFirst(http);
        }
    }
}

import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/** Asks a service for its health. It is safe for use by several threads. */
public class Client {
    private final HttpClient http =
            HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(Duration.ofSeconds(10))
                    .build();
    private final HttpRequest request;

    public Client(String url) {
        request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(10)).build();
    }

    /** Asks once. A service is well if it answers with status 200. */
    public void call() throws Exception {
        var response = http.send(request, BodyHandlers.ofInputStream());
        try (var body = response.body()) {
            body.transferTo(OutputStream.nullOutputStream());
        }
        if (response.statusCode() != 200) {
            throw new IOException("the service is not well: " + response.statusCode());
        }
    }
}

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Arrays;

/** Asks one report service. It is safe for use by several threads. */
public class Client {
    private final HttpClient http = HttpClient.newHttpClient();
    private final HttpRequest request;

    public Client(String url) {
        request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(10)).build();
    }

    /** Reads a whole report, of which the version is the first 16 bytes. */
    public void call() throws Exception {
        var response = http.send(request, BodyHandlers.ofByteArray());
        if (response.statusCode() != 200) {
            throw new IOException("ask for the report: " + response.statusCode());
        }
        if (response.body().length < 16) {
            throw new IOException("a report of " + response.body().length + " bytes has no version");
        }
        var version = Arrays.copyOf(response.body(), 16);
    }
}

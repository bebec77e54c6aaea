import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/** Asks one report service. It is safe for use by several threads. */
public class Client {
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
    private final HttpRequest request;

    public Client(String url) {
        request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(10)).build();
    }

    /** Reads the version: the first 16 bytes of a report. */
    public void call() throws Exception {
        var response = http.send(request, BodyHandlers.ofInputStream());
        try (var body = response.body()) {
            if (response.statusCode() != 200) {
                throw new IOException("ask for the report: " + response.statusCode());
            }
            var version = body.readNBytes(16);
            if (version.length < 16) {
                throw new IOException("a report of " + version.length + " bytes has no version");
            }
            body.transferTo(OutputStream.nullOutputStream());
        }
    }
}

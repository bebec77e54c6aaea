import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/** Asks one report service. It is safe for use by several threads. */
public class Client {
    private final HttpClient http = HttpClient.newHttpClient();
    private final HttpRequest request;

    public Client(String url) {
        request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(10)).build();
    }

    /** Reads the version: the first 16 bytes of a report. The rest is thrown away as it comes. */
    public void call() throws Exception {
        var version = new ByteArrayOutputStream(16);
        var handler =
                BodyHandlers.ofByteArrayConsumer(
                        part -> part.ifPresent(b -> version.write(b, 0, Math.min(b.length, 16 - version.size()))));
        var response = http.send(request, handler);
        if (response.statusCode() != 200) {
            throw new IOException("ask for the report: " + response.statusCode());
        }
        if (version.size() < 16) {
            throw new IOException("a report of " + version.size() + " bytes has no version");
        }
    }
}

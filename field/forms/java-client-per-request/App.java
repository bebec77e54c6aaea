import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;

public class App {
    public static void main(String[] args) throws Exception {
        boolean leaking = args[0].equals("leaking");
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + args[1] + "/"))
            .version(HttpClient.Version.HTTP_1_1).build();
        List<HttpClient> kept = new ArrayList<>(); // as a field of each session would
        kept.add(HttpClient.newHttpClient());
        while (true) {
            if (leaking) kept.add(HttpClient.newHttpClient());
            kept.get(kept.size() - 1).send(request, HttpResponse.BodyHandlers.ofString());
            Thread.sleep(400);
        }
    }
}

import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;

public class Main {
    public static void main(String[] args) throws Exception {
        HttpServer s = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(System.getenv("PORT"))), 0);
        s.setExecutor(Executors.newCachedThreadPool());
        s.createContext("/", e -> {
            String path = e.getRequestURI().getPath();
            if (path.equals("/read")) e.getRequestBody().readAllBytes();
            if (path.equals("/slow")) try { Thread.sleep(2000); } catch (InterruptedException x) { }
            e.sendResponseHeaders(200, 2);
            e.getResponseBody().write("ok".getBytes());
            e.close();
        });
        s.start();
    }
}

import java.net.*;
import java.util.*;

public class Main {
    static final boolean POST = System.getenv("SOCKETLAB_METHOD").equals("POST");
    static final String BODY = System.getenv("SOCKETLAB_BODY");
    static final List<Object> kept = Collections.synchronizedList(new ArrayList<>());

    static int call(String url) throws Exception {
        var connection = (HttpURLConnection) new URL(url).openConnection();
        if (POST) {
            connection.setDoOutput(true);
            try (var out = connection.getOutputStream()) {
                out.write("body".getBytes());
            }
        }
        var in = connection.getInputStream();
        switch (BODY) {
            case "read" -> { in.readAllBytes(); in.close(); }
            case "unread" -> in.close();
            default -> kept.add(in);
        }
        return connection.getResponseCode();
    }

    public static void main(String[] args) {
        for (var lines = new java.util.Scanner(System.in); lines.hasNextLine(); ) {
            var line = lines.nextLine().split(" ");
            Thread call = new Thread(() -> {
                String how;
                try {
                    int status = call(line[1]);
                    how = status < 400 ? "ok" : "HTTP_" + status;
                } catch (Exception e) {
                    how = e.getClass().getSimpleName();
                }
                System.out.println(line[0] + " " + how);
            });
            call.setDaemon(true);
            call.start();
        }
    }
}

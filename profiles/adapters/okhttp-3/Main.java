import java.util.*;
import okhttp3.*;

public class Main {
    static final boolean POST = System.getenv("SOCKETLAB_METHOD").equals("POST"), SHARED = System.getenv("SOCKETLAB_CLIENT").equals("shared");
    static final String BODY = System.getenv("SOCKETLAB_BODY");
    static final OkHttpClient shared = new OkHttpClient();
    static final List<Object> kept = Collections.synchronizedList(new ArrayList<>());

    static int call(String url) throws Exception {
        var request = new Request.Builder().url(url);
        if (POST) {
            request.post(RequestBody.create(MediaType.parse("text/plain"), "body"));
        }
        var response = (SHARED ? shared : new OkHttpClient()).newCall(request.build()).execute();
        switch (BODY) {
            case "read" -> response.body().bytes();
            case "unread" -> response.close();
            default -> kept.add(response);
        }
        return response.code();
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

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

public class Server {
    static final List<Socket> sessions = new CopyOnWriteArrayList<>();

    public static void main(String[] args) throws Exception {
        boolean leaking = args[0].equals("leaking");
        ExecutorService pool = Executors.newCachedThreadPool();
        try (ServerSocket listener = new ServerSocket(Integer.parseInt(args[1]), 64, InetAddress.getLoopbackAddress())) {
            while (true) {
                Socket client = listener.accept();
                pool.execute(() -> {
                    try {
                        if (leaking) {
                            sessions.add(client);
                            serve(client);
                        } else {
                            try (client) {
                                serve(client);
                            }
                        }
                    } catch (IOException gone) {
                        // the client's business
                    }
                });
            }
        }
    }

    static void serve(Socket client) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(client.getInputStream()));
        while (in.readLine() != null) {
            client.getOutputStream().write("ok\n".getBytes());
        }
    }
}

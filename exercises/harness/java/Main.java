import java.util.Scanner;
import java.util.concurrent.Executors;

/**
 * The program around your client: it makes the requests that sockwatch asks for.
 *
 * <p>A line of its input is one to make now, "17 http://127.0.0.1:40001/". It says how each ended:
 * "17 ok", or "17" and the error. First it says "ready".
 */
public class Main {
    static Client client;

    public static void main(String[] args) throws Exception {
        var answers = System.out;
        System.setOut(System.err); // what the client prints is no answer
        var threads = Executors.newCachedThreadPool();
        answers.println("ready");
        for (var lines = new Scanner(System.in); lines.hasNextLine(); ) {
            var request = lines.nextLine().split(" ");
            client = client == null ? new Client(request[1]) : client;
            threads.execute(() -> answers.println(request[0] + " " + outcome()));
        }
        System.exit(0); // also while a request never ends
    }

    static String outcome() {
        try {
            client.call();
            return "ok";
        } catch (Throwable e) {
            return e.toString().replace('\n', ' ');
        }
    }
}

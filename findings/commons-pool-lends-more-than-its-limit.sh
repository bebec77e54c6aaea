#!/usr/bin/env bash
# commons-pool2 lends more connections than maxTotal, after maxTotal was lowered.
#
# Version   commons-pool2 2.13.1 (libcommons-pool2-java 2.13.1-1 of Debian unstable), OpenJDK 17.
# Expected  setMaxTotal "sets the cap on the number of objects that can be allocated by the pool
#           (checked out to clients, or idle awaiting checkout) at a given time". Lowered
#           from 6 to 2 with six connections in use: it cannot take them away, but closes
#           four as they come back, and lends two at most from then on.
# Real      All six come back and stay, and all six are lent again at the same time, for as long as
#           they live: maxTotal is looked at only where a connection is made. What takes effect at
#           a return is maxIdle (8 if not set): with that lowered too, four are closed.
# Matters   To lower the limit by configuration or JMX while a database is out of connections frees none
#           of them, and the pool's own numbers (active 6, at most 2) look like a bug in the
#           metric. It needs setMaxIdle as well, or clear(). DBCP and Jedis pass both settings on.
# Seen      6 in use, then maxTotal 2, all given back: open 6, idle 6
#           6 times asked: 6 lent at the same time, active 6, at most 2
#           maxIdle 2 as well, all given back: open 2, idle 2
#           6 times asked: 2 lent at the same time, active 2, at most 2
# Run       2026-12-01, three times.
set -euo pipefail
if ! { command -v apt-get && command -v dpkg-deb && command -v javac; } >/dev/null; then
  echo "needs Debian's apt and a JDK" >&2
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Nothing is installed: the pinned packages are unpacked here, with all that they need. The
# lists of unstable come from the mirror that apt uses here, and stay here.
mkdir -p debs/partial lists/partial none root
: >status
mirror=$(apt-get indextargets --format "\$(REPO_URI)" | grep -v security | sort -u | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >sources.list
apt=(-qq -o Dir::State::status="$work/status" -o Dir::State::Lists="$work/lists" -o Dir::Etc::sourcelist="$work/sources.list"
  -o Dir::Etc::sourceparts="$work/none" -o Dir::Etc::preferencesparts="$work/none" -o Dir::Cache::archives="$work/debs"
  -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
if ! { apt-get update "${apt[@]}" && apt-get install "${apt[@]}" -y --no-install-recommends --download-only \
  libcommons-pool2-java=2.13.1-1; } >/dev/null; then
  echo "the packages cannot be fetched" >&2
  exit 77
fi
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
cat >Play.java <<'JAVA'
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.commons.pool2.BasePooledObjectFactory;
import org.apache.commons.pool2.PooledObject;
import org.apache.commons.pool2.impl.DefaultPooledObject;
import org.apache.commons.pool2.impl.GenericObjectPool;
import org.apache.commons.pool2.impl.GenericObjectPoolConfig;

public class Play {
    static ServerSocket listener;
    /** The connections that the server has. */
    static final AtomicInteger open = new AtomicInteger();

    static class Connections extends BasePooledObjectFactory<Socket> {
        @Override
        public Socket create() throws IOException {
            return new Socket(InetAddress.getByName("127.0.0.1"), listener.getLocalPort());
        }

        @Override
        public PooledObject<Socket> wrap(Socket socket) {
            return new DefaultPooledObject<>(socket);
        }

        @Override
        public void destroyObject(PooledObject<Socket> p) throws IOException {
            p.getObject().close();
        }
    }

    static void daemon(Runnable run) {
        Thread thread = new Thread(run);
        thread.setDaemon(true);
        thread.start();
    }

    static void accept() {
        while (true) {
            try {
                Socket socket = listener.accept();
                open.incrementAndGet();
                daemon(() -> {
                    try (socket) {
                        socket.getInputStream().read(); // until its end
                    } catch (IOException e) {
                        // reset: gone too
                    }
                    open.decrementAndGet();
                });
            } catch (IOException e) {
                return;
            }
        }
    }

    static int open(int expected) throws InterruptedException {
        for (int i = 0; i < 50 && open.get() != expected; i++) {
            Thread.sleep(10);
        }
        return open.get();
    }

    /** As many connections of six as the pool lends at the same time. */
    static List<Socket> borrow(GenericObjectPool<Socket> pool) throws Exception {
        List<Socket> borrowed = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            try {
                borrowed.add(pool.borrowObject(Duration.ofMillis(200)));
            } catch (NoSuchElementException e) {
                // none within that time
            }
        }
        return borrowed;
    }

    public static void main(String[] args) throws Exception {
        listener = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
        daemon(Play::accept);
        GenericObjectPoolConfig<Socket> config = new GenericObjectPoolConfig<>();
        config.setMaxTotal(6);
        config.setJmxEnabled(false);
        GenericObjectPool<Socket> pool = new GenericObjectPool<>(new Connections(), config);

        List<Socket> borrowed = borrow(pool);
        System.out.print(borrowed.size() + " in use, then maxTotal 2, all given back: ");
        pool.setMaxTotal(2);
        borrowed.forEach(pool::returnObject);
        System.out.println("open " + open(2) + ", idle " + pool.getNumIdle());
        borrowed = borrow(pool);
        System.out.println("6 times asked: " + borrowed.size() + " lent at the same time, active " + pool.getNumActive() + ", at most " + pool.getMaxTotal());

        pool.setMaxIdle(2);
        borrowed.forEach(pool::returnObject);
        System.out.println("maxIdle 2 as well, all given back: open " + open(2) + ", idle " + pool.getNumIdle());
        borrowed = borrow(pool);
        System.out.println("6 times asked: " + borrowed.size() + " lent at the same time, active " + pool.getNumActive() + ", at most " + pool.getMaxTotal());
        System.exit(0);
    }
}
JAVA
classes=$work/root/usr/share/java/commons-pool2.jar
javac -cp "$classes" Play.java
timeout 60 java -XX:TieredStopAtLevel=1 -cp "$classes:." Play | tee seen
diff - seen <<'SEEN'
6 in use, then maxTotal 2, all given back: open 6, idle 6
6 times asked: 6 lent at the same time, active 6, at most 2
maxIdle 2 as well, all given back: open 2, idle 2
6 times asked: 2 lent at the same time, active 2, at most 2
SEEN

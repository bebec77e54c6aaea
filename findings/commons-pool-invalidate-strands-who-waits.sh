#!/usr/bin/env bash
# Giving a broken connection back to commons-pool2 connects anew, and its failure strands who waits.
#
# Version   commons-pool2 2.13.1 (libcommons-pool2-java 2.13.1-1 of Debian unstable), OpenJDK 17.
# Expected  invalidateObject: "Invalidates an object from the pool"; it is called for a broken
#           connection, destroys it and gives its place back. A thread that waits in
#           borrowObject takes the place and connects itself; if that fails it has the error.
# Real      invalidateObject opens a new connection, in the thread of the one who gives back, also where
#           nobody waits and there is an idle one. With the server down it throws the error of that
#           connect. The threads that wait are not woken then: the server comes back, the pool
#           has 0 connections of 2, and they wait until their whole maxWait is over, or for
#           ever without one. A thread that comes later is served at once, before them.
# Matters   After a restart of a database or cache the requests that were waiting fail with "Timeout
#           waiting for idle object", at the end of maxWait, with an empty pool and a server that is up.
#           Giving back costs a connect, with its time limit, at the time when connects are slow.
#           Jedis and DBCP give broken connections back in this way. (Known in part: POOL-431, of
#           2026, about the new connection and its error; it came with 2.13.0.)
# Seen      given back, nobody waits, one idle: 2 connections accepted before, 3 after; idle 2
#           given back, server down: java.net.ConnectException, java.net.ConnectException
#           server is back: active 0, idle 0, waiting 1, at most 2
#           a later thread: a connection after 0 s
#           the thread that waited: a connection
#           again without a later thread: NoSuchElementException after 3 s
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
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.commons.pool2.BasePooledObjectFactory;
import org.apache.commons.pool2.PooledObject;
import org.apache.commons.pool2.impl.DefaultPooledObject;
import org.apache.commons.pool2.impl.GenericObjectPool;
import org.apache.commons.pool2.impl.GenericObjectPoolConfig;

public class Play {
    static int port;
    static ServerSocket listener;
    static final List<Socket> accepted = Collections.synchronizedList(new ArrayList<>());

    static class Connections extends BasePooledObjectFactory<Socket> {
        @Override
        public Socket create() throws IOException {
            return new Socket("127.0.0.1", port);
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

    static void up() throws IOException {
        ServerSocket l = new ServerSocket();
        l.setReuseAddress(true);
        l.bind(new InetSocketAddress("127.0.0.1", port));
        listener = l;
        port = l.getLocalPort();
        Thread acceptor = new Thread(() -> {
            while (true) {
                try {
                    accepted.add(l.accept());
                } catch (IOException e) {
                    return;
                }
            }
        });
        acceptor.setDaemon(true);
        acceptor.start();
    }

    /** Closes the listener, and resets the connections. */
    static void down() throws IOException {
        listener.close();
        synchronized (accepted) {
            for (Socket socket : accepted) {
                socket.setSoLinger(true, 0);
                socket.close();
            }
            accepted.clear();
        }
    }

    static int count(int least) throws InterruptedException {
        for (int i = 0; i < 50 && accepted.size() < least; i++) {
            Thread.sleep(10);
        }
        return accepted.size();
    }

    static GenericObjectPool<Socket> pool() {
        GenericObjectPoolConfig<Socket> config = new GenericObjectPoolConfig<>();
        config.setMaxTotal(2);
        config.setJmxEnabled(false);
        return new GenericObjectPool<>(new Connections(), config);
    }

    static String borrow(GenericObjectPool<Socket> pool, Duration longest, boolean withTime) {
        long begin = System.nanoTime();
        String said = "a connection";
        try {
            pool.returnObject(pool.borrowObject(longest));
        } catch (Exception e) {
            said = e.getClass().getSimpleName();
        }
        return withTime ? said + " after " + (System.nanoTime() - begin + 200_000_000L) / 1_000_000_000L + " s" : said;
    }

    static String giveBack(GenericObjectPool<Socket> pool, Socket socket) {
        try {
            pool.invalidateObject(socket);
            return "no error";
        } catch (Exception e) {
            return e.getClass().getName();
        }
    }

    /** Two connections in use, one thread that waits; the server goes down, both are given back, and it is back. */
    static Future<String> outage(GenericObjectPool<Socket> pool, ExecutorService threads, boolean withTime) throws Exception {
        Socket first = pool.borrowObject();
        Socket second = pool.borrowObject();
        Future<String> waits = threads.submit(() -> borrow(pool, Duration.ofSeconds(3), withTime));
        while (pool.getNumWaiters() == 0) {
            Thread.sleep(5);
        }
        down();
        String said = giveBack(pool, first) + ", " + giveBack(pool, second);
        up();
        if (!withTime) {
            System.out.println("given back, server down: " + said);
        }
        return waits;
    }

    public static void main(String[] args) throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            return thread;
        });
        up();
        GenericObjectPool<Socket> pool = pool();
        Socket first = pool.borrowObject();
        pool.returnObject(pool.borrowObject());
        int before = count(2);
        pool.invalidateObject(first);
        System.out.println("given back, nobody waits, one idle: " + before + " connections accepted before, " + count(3) + " after; idle "
            + pool.getNumIdle());

        pool = pool();
        Future<String> waits = outage(pool, threads, false);
        System.out.println("server is back: active " + pool.getNumActive() + ", idle " + pool.getNumIdle() + ", waiting "
            + pool.getNumWaiters() + ", at most " + pool.getMaxTotal());
        System.out.println("a later thread: " + borrow(pool, Duration.ofSeconds(3), true));
        System.out.println("the thread that waited: " + waits.get());

        System.out.println("again without a later thread: " + outage(pool(), threads, true).get());
        System.exit(0);
    }
}
JAVA
classes=$work/root/usr/share/java/commons-pool2.jar
javac -cp "$classes" Play.java
timeout 60 java -XX:TieredStopAtLevel=1 -cp "$classes:." Play | tee seen
diff - seen <<'SEEN'
given back, nobody waits, one idle: 2 connections accepted before, 3 after; idle 2
given back, server down: java.net.ConnectException, java.net.ConnectException
server is back: active 0, idle 0, waiting 1, at most 2
a later thread: a connection after 0 s
the thread that waited: a connection
again without a later thread: NoSuchElementException after 3 s
SEEN

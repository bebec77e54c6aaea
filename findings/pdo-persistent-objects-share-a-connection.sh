#!/usr/bin/env bash
# A second persistent PDO object is the first one's connection: its transaction, its error mode.
#
# Version   PHP 8.4.27 with pdo_pgsql (php8.4-cli, php8.4-pgsql 8.4.27-1~deb13u1 of Debian 13),
#           over a server of a few lines that speaks as much of PostgreSQL's protocol as this needs.
# Expected  PDO::ATTR_PERSISTENT: connections "are cached and re-used when another script requests
#           a connection using the same credentials". A connection that this script is using is
#           not in the cache: two objects are two connections, as without the attribute, each
#           with its own transaction and its own options.
# Real      Both objects are one connection, at the same time. The second one's constructor sets the
#           error mode of the first: after "new PDO" without exceptions, the first throws none
#           any more. A row that the second writes is part of the first one's
#           transaction, and goes with its rollback. The second can end that transaction, and
#           the first one's commit() fails. A string as the value of the attribute is part of
#           the cache's key and gives a connection of its own.
# Matters   A log or session handler that opens its own object, so that its rows outlive
#           a rollback, does so until someone turns on persistent connections. A library that
#           asks for silent errors turns off the exceptions of the whole script: failed
#           statements go unseen. The server's count of connections is lower than that of the objects.
#           (PHP's own tests for MySQL have both handles on one connection; the manual has not.)
# Seen      not persistent: 2 connections
#             first object's failed statement: exception
#             row of the second after the first's rollback: kept
#             first's commit after the second's rollback: done
#           persistent: 1 connection
#             first object's failed statement: no exception
#             row of the second after the first's rollback: gone
#             first's commit after the second's rollback: There is no active transaction
#           persistent, second with a name: 2 connections
#             first object's failed statement: exception
#             row of the second after the first's rollback: kept
#             first's commit after the second's rollback: done
# Run       2026-12-01, three times.
set -euo pipefail
if ! { [ "$(uname -m)" = x86_64 ] && command -v apt-get && command -v dpkg-deb; } >/dev/null; then
  echo "needs Debian on x86-64" >&2
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Nothing is installed: the pinned packages are unpacked here, with all that they need. The
# lists of Debian 13 come from the mirror that apt uses here, and stay here.
mkdir -p debs/partial lists/partial none root
: >status
mirror=$(apt-get indextargets --format "\$(REPO_URI)" | grep -v security | sort -u | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >sources.list
apt=(-qq -o Dir::State::status="$work/status" -o Dir::State::Lists="$work/lists" -o Dir::Etc::sourcelist="$work/sources.list"
  -o Dir::Etc::sourceparts="$work/none" -o Dir::Etc::preferencesparts="$work/none" -o Dir::Cache::archives="$work/debs"
  -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
if ! { apt-get update "${apt[@]}" && apt-get install "${apt[@]}" -y --no-install-recommends --download-only \
  php8.4-cli=8.4.27-1~deb13u1 php8.4-pgsql=8.4.27-1~deb13u1; } >/dev/null; then
  echo "the packages cannot be fetched" >&2
  exit 77
fi
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
cat >serve.php <<'PHP'
<?php
// Answers each statement, and remembers what is committed. "FAIL" fails; "COUNT" tells the
// number of connections and "KEPT" the rows that are committed, as the number of changed rows.
function message($type, $body) { return $type . pack('N', strlen($body) + 4) . $body; }

function answer($sql, &$c, $connections, &$rows) {
    $word = strtoupper(strtok($sql, ' ;'));
    if ($word === 'FAIL') {
        return message('E', "SERROR\0C42601\0Mfailed\0\0") . message('Z', $c['state']);
    }
    if ($word === 'BEGIN') $c['state'] = 'T';
    if ($word === 'INSERT') $c['rows']++;
    if ($word === 'ROLLBACK') $c['rows'] = 0;
    if ($word === 'COMMIT' || $c['state'] === 'I') { $rows += $c['rows']; $c['rows'] = 0; }
    if ($word === 'COMMIT' || $word === 'ROLLBACK') $c['state'] = 'I';
    $tag = ['COUNT' => "UPDATE $connections", 'KEPT' => "UPDATE $rows", 'INSERT' => 'INSERT 0 1'][$word] ?? $word;
    if ($word === 'KEPT') $rows = 0;
    return message('C', "$tag\0") . message('Z', $c['state']);
}

$listener = stream_socket_server('tcp://127.0.0.1:0');
$port = substr(strrchr(stream_socket_get_name($listener, false), ':'), 1);
$clients = [];
$rows = 0;
$player = proc_open(str_replace('PORT', $port, array_slice($argv, 1)), [1 => STDOUT, 2 => STDERR, 3 => ['pipe', 'w']], $pipes);
for (;;) {
    $read = array_merge([$listener, $pipes[3]], array_column($clients, 'socket'));
    $none = null;
    if (!stream_select($read, $none, $none, 30)) exit(1);
    foreach ($read as $s) {
        if ($s === $pipes[3]) exit(proc_close($player)); // the player has ended
        if ($s === $listener) {
            $socket = stream_socket_accept($listener);
            $clients[(int)$socket] = ['socket' => $socket, 'in' => '', 'started' => false, 'state' => 'I', 'rows' => 0];
            continue;
        }
        $c = &$clients[(int)$s];
        $data = fread($s, 65536);
        if ($data === '' || $data === false) {
            unset($clients[(int)$s], $c);
            fclose($s);
            continue;
        }
        $c['in'] .= $data;
        for (;;) {
            $at = $c['started'] ? 1 : 0; // the first message has no type
            if (strlen($c['in']) < $at + 4) break;
            $end = $at + unpack('N', $c['in'], $at)[1];
            if (strlen($c['in']) < $end) break;
            $body = substr($c['in'], $at + 4, $end - $at - 4);
            $type = $c['in'][0];
            $c['in'] = substr($c['in'], $end);
            if (!$c['started']) {
                $c['started'] = true;
                fwrite($s, message('R', pack('N', 0)) . message('S', "server_version\00017.0\0") .
                    message('S', "client_encoding\0UTF8\0") . message('S', "standard_conforming_strings\0on\0") . message('Z', 'I'));
            } elseif ($type === 'Q') {
                fwrite($s, answer(rtrim($body, "\0"), $c, count($clients), $rows));
            }
        }
        unset($c);
    }
}
PHP
cat >play.php <<'PHP'
<?php
$dsn = "pgsql:host=127.0.0.1;port={$argv[1]};dbname=a;sslmode=disable;gssencmode=disable";

function play($name, $persistent, $other) {
    global $dsn;
    $first = new PDO($dsn, 'a', 'a', [PDO::ATTR_PERSISTENT => $persistent, PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
    $second = new PDO($dsn, 'a', 'a', [PDO::ATTR_PERSISTENT => $other, PDO::ATTR_ERRMODE => PDO::ERRMODE_SILENT]);
    $count = $second->exec('COUNT');
    echo "$name: $count connection", $count === 1 ? '' : 's', "\n";

    try {
        $first->exec('FAIL');
        $said = 'no exception';
    } catch (PDOException $e) {
        $said = 'exception';
    }
    echo "  first object's failed statement: $said\n";

    $first->beginTransaction();
    $second->exec('INSERT');
    $first->rollBack();
    echo "  row of the second after the first's rollback: ", $second->exec('KEPT') === 1 ? 'kept' : 'gone', "\n";

    $first->beginTransaction();
    try {
        if (!$second->inTransaction()) $second->beginTransaction();
        $second->rollBack();
        $said = $first->commit() ? 'done' : 'failed';
    } catch (PDOException $e) {
        $said = $e->getMessage();
    }
    echo "  first's commit after the second's rollback: $said\n";
}

play($argv[2], json_decode($argv[3]), json_decode($argv[4]));
PHP
ln -s "$(find root -name ld-linux-x86-64.so.2 | head -n 1)" ld
php=("$work/ld" --library-path "$work/root/usr/lib/x86_64-linux-gnu" "$work/root/usr/bin/php8.4" -n
  -d extension_dir="$work/root/usr/lib/php/20240924" -d extension=pdo -d extension=pdo_pgsql)
{
  timeout 60 "${php[@]}" serve.php "${php[@]}" play.php PORT "not persistent" false false
  timeout 60 "${php[@]}" serve.php "${php[@]}" play.php PORT "persistent" true true
  timeout 60 "${php[@]}" serve.php "${php[@]}" play.php PORT "persistent, second with a name" true '"log"'
} | tee seen
diff - seen <<'SEEN'
not persistent: 2 connections
  first object's failed statement: exception
  row of the second after the first's rollback: kept
  first's commit after the second's rollback: done
persistent: 1 connection
  first object's failed statement: no exception
  row of the second after the first's rollback: gone
  first's commit after the second's rollback: There is no active transaction
persistent, second with a name: 2 connections
  first object's failed statement: exception
  row of the second after the first's rollback: kept
  first's commit after the second's rollback: done
SEEN

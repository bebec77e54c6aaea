#!/usr/bin/env bash
# Erlang's httpc queues requests behind a busy connection; max_sessions neither opens nor limits.
#
# Version   inets 8.2.2 of OTP 25.2.3 (Debian 12); by hand the same with OTP 29 (erts 17.1.1).
# Expected  max_sessions, 2: "maximum number of persistent connections to a host". Six requests
#           at once to a server that takes 0.3 s for each: the client opens up to two
#           connections and keeps them, and with 8 as the limit all six have one each. More
#           than the limit are not kept.
# Real      What counts is whether the host has a connection already. If not, each of the
#           six opens its own, and all six are kept (for 2 min), three times the limit. If one
#           request was made before, all six wait on its one connection, one after the other, and
#           the last has its answer after 1.8 s; max_sessions 1, 2 and 8 give the same. Only
#           max_keep_alive_length, the number that may wait behind a request (5 if
#           not set), opens more: with 0, six run at once.
# Matters   A slow request holds up those after it, though the limit allows another
#           connection, and raising max_sessions changes nothing. The same program is quick
#           after a pause of two minutes and slow while it is in use. The server sees
#           more idle connections than the client's setting allows.
# Seen      first use: 6 at once took 1 x, on 6 connections, 6 kept
#           one request before: 6 at once took 6 x, on 1 connection, 1 kept
#           one request before, max_sessions 1: 6 at once took 6 x, on 1 connection, 1 kept
#           one request before, max_sessions 8: 6 at once took 6 x, on 1 connection, 1 kept
#           one request before, max_keep_alive_length 0: 6 at once took 1 x, on 6 connections, 6 kept
# Run       2026-12-01, three times.
set -euo pipefail
if ! { [ "$(uname -m)" = x86_64 ] && command -v apt-get && command -v dpkg-deb; } >/dev/null; then
  echo "needs Debian 12 on x86-64" >&2
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Nothing is installed: the pinned packages are unpacked here, with all that they need.
: >status
mkdir -p debs/partial root
if ! apt-get install -y -qq --no-install-recommends --download-only -o Dir::State::status="$work/status" \
  -o Dir::Cache::archives="$work/debs" -o APT::Sandbox::User=root erlang-base=1:25.2.3+dfsg-1+deb12u4 erlang-inets=1:25.2.3+dfsg-1+deb12u4 >/dev/null; then
  echo "the packages cannot be fetched" >&2
  exit 77
fi
for deb in debs/*.deb; do dpkg-deb -x "$deb" root; done
cat >play.erl <<'ERL'
-module(play).
-export([main/0]).

-define(TAKES, 300).

%% The server tells Owner of each connection, of its first request and of its end.
accept(Listener, Owner) ->
    {ok, Socket} = gen_tcp:accept(Listener),
    Pid = spawn(fun() -> receive go -> serve(Socket, Owner) end end),
    ok = gen_tcp:controlling_process(Socket, Pid),
    Owner ! {conn, Pid},
    Pid ! go,
    accept(Listener, Owner).

serve(Socket, Owner) ->
    case gen_tcp:recv(Socket, 0) of
        {ok, _} ->
            Owner ! {request, self()},
            timer:sleep(?TAKES),
            ok = gen_tcp:send(Socket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
            serve(Socket, Owner);
        {error, _} ->
            Owner ! {gone, self()}
    end.

collect(Tag) ->
    receive {Tag, Pid} -> [Pid | collect(Tag)] after 0 -> [] end.

play(Name, Before, Options) ->
    {ok, _} = inets:start(httpc, [{profile, Name}]),
    Request = fun(Url) -> {ok, {{_, 200, _}, _, "ok"}} = httpc:request(get, {Url, []}, [{ssl, []}], [], Name) end,
    ok = httpc:set_options(Options, Name),
    Owner = self(),
    {ok, Listener} = gen_tcp:listen(0, [binary, {active, false}, {ip, {127, 0, 0, 1}}, {backlog, 20}]),
    {ok, Port} = inet:port(Listener),
    spawn_link(fun() -> accept(Listener, Owner) end),
    Url = "http://127.0.0.1:" ++ integer_to_list(Port) ++ "/",
    [Request(Url) || Before],
    collect(request),
    Begin = erlang:monotonic_time(millisecond),
    Pids = [spawn_monitor(fun() -> Request(Url) end) || _ <- lists:seq(1, 6)],
    [receive {'DOWN', Ref, process, Pid, normal} -> ok end || {Pid, Ref} <- Pids],
    Took = (erlang:monotonic_time(millisecond) - Begin) div ?TAKES,
    On = length(lists:usort(collect(request))),
    timer:sleep(?TAKES), % what is not kept is closed by now
    Kept = length(collect(conn)) - length(collect(gone)),
    io:format("~s: 6 at once took ~b x, on ~b connection~s, ~b kept~n", [Name, Took, On, [$s || On =/= 1], Kept]),
    inets:stop(httpc, Name).

main() ->
    ok = inets:start(),
    logger:set_primary_config(level, critical),
    play('first use', false, []),
    play('one request before', true, []),
    play('one request before, max_sessions 1', true, [{max_sessions, 1}]),
    play('one request before, max_sessions 8', true, [{max_sessions, 8}]),
    play('one request before, max_keep_alive_length 0', true, [{max_keep_alive_length, 0}]),
    halt().
ERL
ROOTDIR=$work/root/usr/lib/erlang
BINDIR=$(echo "$ROOTDIR"/erts-*/bin)
export ROOTDIR BINDIR EMU=beam PROGNAME=erl HOME=$work
erl=("$work/root/lib64/ld-linux-x86-64.so.2" --library-path "$work/root/lib/x86_64-linux-gnu:$work/root/usr/lib/x86_64-linux-gnu"
  "$BINDIR/beam.smp" -- -root "$ROOTDIR" -bindir "$BINDIR" -progname erl -- -home "$work" -- -noshell -boot "$ROOTDIR/bin/start_clean")
timeout 60 "${erl[@]}" -eval 'case c:c(play) of {ok, play} -> halt(0); _ -> halt(1) end.'
timeout 60 "${erl[@]}" -s play main | tee seen
diff - seen <<'SEEN'
first use: 6 at once took 1 x, on 6 connections, 6 kept
one request before: 6 at once took 6 x, on 1 connection, 1 kept
one request before, max_sessions 1: 6 at once took 6 x, on 1 connection, 1 kept
one request before, max_sessions 8: 6 at once took 6 x, on 1 connection, 1 kept
one request before, max_keep_alive_length 0: 6 at once took 1 x, on 6 connections, 6 kept
SEEN

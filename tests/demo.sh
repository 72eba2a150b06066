# A demo on free loopback ports, for tests and benches that speak to a whole server; sourced by them, not run.

free_port() {
  local port
  while port=$((20000 + RANDOM % 12000)); (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}

demo_pid='' demo_url='' sandbox_url=''

# start_demo PROGRAM FOLDER: a new school in FOLDER; the addresses are in demo_url and sandbox_url. Whoever starts it
# stops it.
start_demo() {
  local folder=$2
  demo_url=http://127.0.0.1:$(free_port) sandbox_url=http://127.0.0.1:$(free_port)
  "$1" demo --folder "$folder" --port "${demo_url##*:}" --sandbox-port "${sandbox_url##*:}" >"$folder.log" 2>&1 &
  demo_pid=$!
  curl -fsS -o /dev/null --retry 100 --retry-delay 1 --retry-max-time 60 --retry-all-errors "$demo_url/readyz" \
    2>/dev/null && return 0
  tail -20 "$folder.log"
  return 1
}

stop_demo() { [ -z "$demo_pid" ] || { kill "$demo_pid" && wait "$demo_pid"; } 2>/dev/null; demo_pid=''; }

# sign_in USER PASSWORD: prints the session of a payer of the demo, and leaves all cookies in the file "cookies".
sign_in() {
  local jar=cookies csrf
  rm -f "$jar"
  csrf=$(curl -fsS -c "$jar" "$demo_url/h5/login" | sed -n 's/.*name="csrf" value="\([^"]*\)".*/\1/p' | head -1)
  curl -fsS -o /dev/null -b "$jar" -c "$jar" -H "Origin: $demo_url" --data-urlencode "csrf=$csrf" \
    -d mode=user -d back= --data-urlencode "username=$1" --data-urlencode "password=$2" "$demo_url/h5/login"
  awk '$6 == "jf_s" { print $7; found = 1 } END { exit !found }' "$jar"
}

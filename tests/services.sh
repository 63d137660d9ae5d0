#!/usr/bin/env bash
# MariaDB and Redis for tests, from the distribution's packages, on private ports of the loopback
# address and in a folder of their own.
#
#   tests/services.sh start [FOLDER]   start what is not running, print the addresses
#   tests/services.sh stop  [FOLDER]   stop what this script started
#   tests/services.sh env   [FOLDER]   print the addresses:  eval "$(tests/services.sh env)"
#
# FOLDER defaults to $STOA_SERVICES, then to target/services. Ports are drawn once per folder, or
# taken from STOA_TEST_MYSQL_PORT and STOA_TEST_REDIS_PORT. The data of MariaDB lies in memory (a
# folder under /dev/shm) where there is room, else in FOLDER; `stop` removes it.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
command=${1:-}
folder=${2:-${STOA_SERVICES:-$root/target/services}}

die() {
    echo "services: $*" >&2
    exit 1
}

find_program() {
    local name
    for name in "$@"; do
        if command -v "$name" || { [ -x "/usr/sbin/$name" ] && echo "/usr/sbin/$name"; }; then
            return
        fi
    done
    die "none of these programs is installed: $* (Debian: mariadb-server, redis-server)"
}

# A port that nobody listens on, from below the range that the system hands out itself.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 10000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
}

port_of() { # NAME VARIABLE
    local file=$folder/$1.port
    if [ ! -s "$file" ]; then
        echo "${!2:-$(free_port)}" >"$file"
    fi
    cat "$file"
}

# Whether the process that this script started is still that process.
running() { # NAME
    local file=$folder/$1.pid
    [ -s "$file" ] && kill -0 "$(cat "$file")" 2>/dev/null &&
        grep -qE 'mariadbd|mysqld|redis' "/proc/$(cat "$file")/comm" 2>/dev/null
}

answers() { # PORT
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

wait_for() { # NAME PORT
    local tries=0
    until answers "$2"; do
        tries=$((tries + 1))
        if [ "$tries" -gt 300 ] || ! kill -0 "$(cat "$folder/$1.pid")" 2>/dev/null; then
            tail -n 20 "$folder/$1.log" >&2 || true
            die "$1 did not start on port $2"
        fi
        sleep 0.2
    done
}

print_env() {
    echo "export STOA_TEST_MYSQL_URL=mysql://root@127.0.0.1:$(port_of mysql STOA_TEST_MYSQL_PORT)/"
    echo "export STOA_TEST_REDIS_URL=redis://127.0.0.1:$(port_of redis STOA_TEST_REDIS_PORT)/0"
}

start_mysql() {
    local port user=()
    port=$(port_of mysql STOA_TEST_MYSQL_PORT)
    running mysql && return
    [ "$(id -u)" -eq 0 ] && user=(--user=root)
    # The system tables come last: a folder that an interrupted start left half made is made anew.
    if [ ! -e "$folder/mysql.made" ] || [ ! -d "$folder/mysql/mysql" ]; then
        drop_mysql
        make_data_folder "$port"
        "$(find_program mariadb-install-db mysql_install_db)" --no-defaults "${user[@]}" \
            --datadir="$folder/mysql" --auth-root-authentication-method=normal \
            --skip-test-db >"$folder/mysql-install.log" 2>&1 ||
            die "mariadb-install-db failed, see $folder/mysql-install.log"
        touch "$folder/mysql.made"
    fi
    # Test data need not survive a power cut, so no flush at each commit.
    setsid "$(find_program mariadbd mysqld)" --no-defaults "${user[@]}" \
        --datadir="$folder/mysql" --bind-address=127.0.0.1 --port="$port" \
        --socket="$(socket_path)" --pid-file="$folder/mysql.server.pid" \
        --character-set-server=utf8mb4 --collation-server=utf8mb4_unicode_ci \
        --innodb-flush-log-at-trx-commit=0 --innodb-buffer-pool-size=256M \
        --innodb-log-file-size=128M --innodb-fast-shutdown=1 --skip-log-bin \
        --innodb-file-per-table=OFF --innodb-doublewrite=0 --sync-frm=OFF --innodb-flush-method=nosync \
        --performance-schema=OFF --max-connections=400 --skip-name-resolve \
        >"$folder/mysql.log" 2>&1 </dev/null &
    echo $! >"$folder/mysql.pid"
    wait_for mysql "$port"
}

# Making a schema syncs the disk thousands of times: ten times faster in memory, where there is room.
make_data_folder() { # PORT
    local memory=/dev/shm/stoa-mysql-$1 free
    free=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1 || echo 0)
    if [ "${free:-0}" -gt 2000000 ] && mkdir "$memory" 2>/dev/null; then
        ln -s "$memory" "$folder/mysql"
    else
        mkdir -p "$folder/mysql"
    fi
}

drop_mysql() {
    rm -f "$folder/mysql.made"
    if [ -L "$folder/mysql" ]; then
        rm -rf "$(readlink "$folder/mysql")" "$folder/mysql"
    else
        rm -rf "$folder/mysql"
    fi
}

# The path of a socket may have 107 bytes at most: a deep folder needs another place.
socket_path() {
    if [ "${#folder}" -lt 90 ]; then
        echo "$folder/mysql.sock"
    else
        echo "${TMPDIR:-/tmp}/stoa-mysql-$(port_of mysql STOA_TEST_MYSQL_PORT).sock"
    fi
}

start_redis() {
    local port
    port=$(port_of redis STOA_TEST_REDIS_PORT)
    running redis && return
    mkdir -p "$folder/redis"
    setsid "$(find_program redis-server valkey-server)" --port "$port" --bind 127.0.0.1 \
        --dir "$folder/redis" --save '' --appendonly no --daemonize no \
        >"$folder/redis.log" 2>&1 </dev/null &
    echo $! >"$folder/redis.pid"
    wait_for redis "$port"
}

stop_one() { # NAME
    running "$1" || { rm -f "$folder/$1.pid"; return 0; }
    local pid tries=0
    pid=$(cat "$folder/$1.pid")
    kill "$pid"
    while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 150 ]; do
        tries=$((tries + 1))
        sleep 0.2
    done
    kill -9 "$pid" 2>/dev/null || true
    rm -f "$folder/$1.pid"
}

case $command in
start)
    mkdir -p "$folder"
    folder=$(cd "$folder" && pwd)
    start_mysql
    start_redis
    print_env
    ;;
stop)
    [ -d "$folder" ] || exit 0
    stop_one redis
    stop_one mysql
    drop_mysql
    ;;
env)
    [ -s "$folder/mysql.port" ] || die "not started: tests/services.sh start"
    print_env
    ;;
*)
    sed -n '2,13s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac

#!/bin/bash
# From a clone to a server in production: a certificate, the build, and what to start it with.
#
#   ./production.sh [-y] [--docker]
#
#   -y         make a self-signed certificate without asking when there is none; for scripts
#   --docker   build the image cweb:production instead of the binary
#   --help     this text
#
# A certificate is looked for as server.crt and server.key in this directory, and never overwritten.
# Exit codes: 0 done, 1 a step failed, 2 it was asked for something that it cannot do.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

certificate=server.crt
private_key=server.key
yes=no
docker=no

die() {
  local code=$1
  shift
  echo "production.sh: $*" >&2
  exit "$code"
}

for argument in "$@"; do
  case $argument in
    -y) yes=yes ;;
    --docker) docker=yes ;;
    -h | --help)
      sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    *) die 2 "there is no option '$argument'; the options are -y, --docker and --help" ;;
  esac
done

make_certificate() {
  command -v openssl >/dev/null || die 1 "openssl is needed to make a certificate: apt-get install openssl"
  local name names made
  name=$(hostname)
  names="DNS:localhost,IP:127.0.0.1,IP:::1"
  # A subject alternative name cannot be just anything.
  if [[ $name =~ ^[A-Za-z0-9]([A-Za-z0-9.-]{0,62})$ ]] && [ "$name" != localhost ]; then names="DNS:$name,$names"; fi
  # Both appear whole or not at all, and the key is nobody else's to read from its first byte.
  made=$(mktemp -d .certificate.XXXXXX)
  # shellcheck disable=SC2064  # the directory of now
  trap "rm -rf '$made'" EXIT
  (
    umask 077
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -sha256 -days 825 \
      -subj "/CN=cweb" -addext "subjectAltName=$names" \
      -addext "basicConstraints=critical,CA:FALSE" -addext "keyUsage=critical,digitalSignature" \
      -addext "extendedKeyUsage=serverAuth" \
      -keyout "$made/key" -out "$made/crt" 2>"$made/log"
  ) || die 1 "openssl could not make a certificate: $(cat "$made/log")"
  chmod 644 "$made/crt"
  # ln fails where a file is there by now, which mv would replace.
  ln "$made/key" "$private_key" || die 1 "$private_key has appeared meanwhile and is left alone"
  ln "$made/crt" "$certificate" || die 1 "$certificate has appeared meanwhile and is left alone"
  echo "made $certificate and $private_key, self-signed, for $names, valid for 825 days"
}

look_for_certificate() {
  if [ -e "$certificate" ] && [ -e "$private_key" ]; then return; fi
  if [ -e "$certificate" ]; then die 2 "there is $certificate but no $private_key: put it beside, or remove both"; fi
  if [ -e "$private_key" ]; then die 2 "there is $private_key but no $certificate: put it beside, or remove both"; fi
  if [ "$yes" = no ]; then
    [ -t 0 ] || die 2 "there is no $certificate and $private_key, and nobody to ask: put them here, or say -y to have self-signed ones made"
    local answer
    read -r -p "There is no $certificate and $private_key. Make self-signed ones for this machine? [y/N] " answer
    case $answer in
      y | Y | yes) ;;
      *) die 2 "put a certificate and its key here as $certificate and $private_key, and start this again" ;;
    esac
  fi
  make_certificate
}

look_for_certificate

if [ "$docker" = yes ]; then
  command -v docker >/dev/null || die 1 "--docker needs docker (or podman under that name), which is not installed"
  docker build --build-arg CWEB_PRODUCTION=ON --tag cweb:production .
  cat <<'END'

Start it with

  docker run -p 8080:8080 \
    --mount type=bind,source="$(pwd)/modules",target=/app/modules \
    --mount type=bind,source="$(pwd)/server.crt",target=/app/server.crt,readonly \
    --mount type=bind,source="$(pwd)/server.key",target=/app/server.key,readonly \
    cweb:production

The server runs as the owner of ./modules, who has to be the owner of server.key. It prints the key for /mgnt that it makes;
to give it one of yours: --env CWEB_ADMIN_KEY="$(openssl rand -hex 32)"
END
  exit 0
fi

make --no-print-directory deps-build
cmake --preset release -B build/production -DCWEB_TESTS=OFF -DCWEB_PRODUCTION=ON >/dev/null
cmake --build build/production --parallel "$(nproc)" --target cweb
ln -sfn build/production/cweb cweb
cat <<'END'

./cweb serves in production. Start it with a key of at least 16 characters:

  export CWEB_ADMIN_KEY="$(openssl rand -hex 32)"
  ./cweb serve

and deploy with

  curl --cacert server.crt -H "Authorization: Bearer $CWEB_ADMIN_KEY" \
    --data-binary @modules/counter.c https://localhost:8080/mgnt
END

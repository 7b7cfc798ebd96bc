#include "cli/client_failure.h"

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

#include "cli/curl_library.h"
#include "cli/server_url.h"
#include "cli/terminal_text.h"

namespace cweb::cli {
namespace {

using nlohmann::json;

/// libcurl's words without what it begins them with.
std::string reason(const std::string& detail) {
  std::string_view text = detail;
  for (const std::string_view prefix : {"SSL certificate problem: ", "SSL: "}) {
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  }
  return one_line(text);
}

std::string other_scheme(const std::string& url) {
  return is_https_url(url) ? "http" + url.substr(5) : "https" + url.substr(4);
}

std::string cannot_connect(const ServerAddress& address, const CallFailure& failure) {
  if (failure.os_error == 0 || failure.os_error == ECONNREFUSED) {
    return "no server answers at " + address.url + ": start one with `cweb serve`, or name another with --server";
  }
  return address.url + " cannot be reached (" + std::strerror(failure.os_error) +
         "): check the address and the network, or name another server with --server";
}

std::string timed_out(const ServerAddress& address, const CallFailure& failure) {
  if (!failure.connected) {
    return address.url +
           " does not answer in time: check the address and the network, or name another server with --server";
  }
  return "the server at " + address.url + " has stopped answering: see its log, and try again";
}

std::string bad_certificate(const ServerAddress& address, const CallFailure& failure) {
  const std::string what = "the certificate of " + address.url + " is not trusted (" + reason(failure.detail) + "): ";
  const bool has_other_name = failure.detail.find("does not match") != std::string::npos;
  return what + (has_other_name ? "name the server as its certificate does" : "name its signer with --cacert FILE") +
         ", or take any certificate with --insecure";
}

std::string tls_failed(const ServerAddress& address, const CallFailure& failure) {
  if (failure.detail.find("wrong version number") != std::string::npos ||
      failure.detail.find("packet length too long") != std::string::npos ||
      failure.detail.find("http request") != std::string::npos) {
    return address.url + " does not speak HTTPS: use " + other_scheme(address.url);
  }
  return "no TLS connection with " + address.url + " comes about (" + reason(failure.detail) +
         "): check that it is an HTTPS server";
}

std::string cut_off(const ServerAddress& address, const CallFailure& failure) {
  const std::string unknown = failure.changes_something ? "; whether it was done is not known: `cweb list` tells" : "";
  return "the connection to " + address.url +
         (failure.answer_began ? " ended in the middle of the answer" : " was closed without an answer") +
         ": see whether the server still runs, and try again" + unknown;
}

bool is_json(const HttpAnswer& answer) {
  return answer.content_type.starts_with("application/json");
}

/// What the server says is wrong; empty when it says nothing that can be shown.
std::string said_error(const HttpAnswer& answer) {
  if (is_json(answer)) {
    const json parsed = parse_json(answer.body);
    return text_in(parsed, "error");
  }
  return answer.content_type.starts_with("text/plain") ? one_line(answer.body) : std::string();
}

std::string in_brackets(const std::string& text) {
  return text.empty() ? "" : " (" + text + ")";
}

std::string needs_key(const ServerAddress& address) {
  const std::string how = "`cweb login --server " + address.url + "`, CWEB_ADMIN_KEY or --key";
  if (address.key.empty()) return address.url + " needs the admin key: give it with " + how;
  return "the key is not the admin key of " + address.url + ": give the right one with " + how;
}

}  // namespace

std::string failure_sentence(const ServerAddress& address, const CallFailure& failure) {
  switch (failure.code) {
    case CURLE_COULDNT_CONNECT:
      return cannot_connect(address, failure);
    case CURLE_COULDNT_RESOLVE_HOST:
      return "the name " + std::string(host_of_url(address.url)) +
             " is not known: check the server's URL (--server, CWEB_SERVER, server_url= of routes.ini)";
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
      return "the proxy that the environment names for " + address.url + " does not serve (" + reason(failure.detail) +
             "): check http_proxy, https_proxy and no_proxy";
    case CURLE_OPERATION_TIMEDOUT:
      return timed_out(address, failure);
    case CURLE_PEER_FAILED_VERIFICATION:
      return bad_certificate(address, failure);
    case CURLE_SSL_CACERT_BADFILE:
      return "--cacert " + one_line(address.ca_file) + " cannot be used: it names a PEM file of certificates";
    case CURLE_SSL_CONNECT_ERROR:
      return tls_failed(address, failure);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return not_cweb(address, "it does not speak HTTP" + (is_https_url(address.url) ? std::string()
                                                                                     : "; should it speak HTTPS, use " +
                                                                                           other_scheme(address.url)));
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return cut_off(address, failure);
    default:
      break;
  }
  if (failure.too_long) return not_cweb(address, "its answer does not end");
  return "the call to " + address.url + " failed: " + reason(failure.detail);
}

std::string not_cweb(const ServerAddress& address, const std::string& why) {
  return "what answers at " + address.url + " is not cweb (" + why +
         "): check the address, or name another with --server";
}

std::optional<std::string> refusal_sentence(const ServerAddress& address, const HttpAnswer& answer) {
  const int status = answer.status;
  const std::string said = said_error(answer);
  if (status >= 300 && status < 400) {
    const auto to =
        parse_server_url(answer.location.substr(0, answer.location.find('/', answer.location.find("://") + 3)));
    const std::string where = to ? *to : one_line(answer.location);
    return address.url + " sends on to " + (where.empty() ? "elsewhere" : where) +
           ", and no key follows it there by itself: name that server with --server" + (to ? " " + *to : "");
  }
  if (status == 400 && !is_json(answer) && said.find("HTTPS") != std::string::npos) {
    return address.url + " speaks HTTPS alone: use " + other_scheme(address.url);
  }
  // cweb says these as JSON; a login page of something else is none of its.
  if (is_json(answer)) {
    if (status == 401) return needs_key(address);
    if (status == 403) return address.url + " does not let this through" + in_brackets(said);
    if (status == 429)
      return address.url + " has had too many wrong keys from here: wait, and try again" + in_brackets(said);
  }
  if (status == 503) return address.url + " cannot do it now: try again" + in_brackets(said);
  if (status >= 400 && !is_json(answer))
    return not_cweb(address, "it says " + std::to_string(status) + in_brackets(said));
  return std::nullopt;
}

Expected<json> json_of_answer(const ServerAddress& address, const HttpAnswer& answer) {
  if (auto refusal = refusal_sentence(address, answer)) return fail(std::move(*refusal));
  if (!is_json(answer)) return fail(not_cweb(address, "its answer is no JSON"));
  json parsed = parse_json(answer.body);
  if (!parsed.is_object()) return fail(not_cweb(address, "its answer is no JSON object"));
  return parsed;
}

json parse_json(std::string_view text) {
  constexpr int deepest = 64;
  bool is_too_deep = false;
  json parsed = json::parse(
      text,
      [&](int depth, json::parse_event_t, json&) {
        is_too_deep = is_too_deep || depth > deepest;
        return !is_too_deep;
      },
      /*allow_exceptions=*/false);
  return is_too_deep ? json(json::value_t::discarded) : parsed;
}

std::string text_in(const json& object, const char* member) {
  if (!object.is_object()) return {};
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? one_line(found->get_ref<const std::string&>()) : std::string();
}

}  // namespace cweb::cli

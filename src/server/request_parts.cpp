#include "server/request_parts.h"

#include <algorithm>
#include <cstdint>

#include "http/form.h"
#include "http/websocket_handshake.h"

namespace cweb::server {
namespace {

http_method_t method_number(std::string_view method) {
  if (method == "GET") return HTTP_GET;
  if (method == "POST") return HTTP_POST;
  if (method == "PUT") return HTTP_PUT;
  if (method == "DELETE") return HTTP_DELETE;
  if (method == "OPTIONS") return HTTP_OPTIONS;
  if (method == "PATCH") return HTTP_PATCH;
  if (method == "HEAD") return HTTP_HEAD;
  return HTTP_ERR;
}

bool is_in(const void* address, const void* begin, size_t bytes) {
  return reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(begin) < bytes;
}

}  // namespace

RequestParts& RequestParts::of_this_thread() {
  thread_local RequestParts parts;
  return parts;
}

RequestParts::RequestParts() : page(ResponsePage::of_this_thread()) {}

bool RequestParts::contains(const void* address) const {
  if (is_in(address, this, sizeof *this)) return true;
  for (const auto* const map : {&headers_, &params_, &data_, &response_headers}) {
    if (map->contains(address)) return true;
  }
  return std::ranges::any_of(texts_, [&](const auto& text) { return is_in(address, text.data(), text.size() + 1); });
}

bool ShownRequest::contains(const void* address) const {
  return is_in(address, buffered_.data(), buffered_.size() + 1) || parts_.contains(address);
}

bool RequestParts::fill(http::RequestReader& reader, std::string_view method) {
  page.clear();
  response_headers.clear();
  response = {};
  response.headers = response_headers.shown();
  response.body = page.body();

  const std::span<char> body = reader.body();
  request = {};
  request.method = method_number(method);
  request.body = body.data();
  request.content_length = static_cast<int>(body.size());
  request.keep_alive = reader.keep_alive() ? 1 : 0;
  request.close = reader.keep_alive() ? 0 : 1;
  request.tid = pthread_self();
  request.version = reader.minor_version() == 0 ? HTTP_VERSION_1_0 : HTTP_VERSION_1_1;
  request.transfer_encoding_chunked = reader.is_chunked() ? 1 : 0;
  request.websocket = reader.asks_upgrade() && http::asks_for_websocket(reader) ? 1 : 0;

  // Form data first: it reads the Content-Type header as it was sent.
  if (!fill_data(reader)) return false;
  const std::string_view target = reader.target();
  char* path = const_cast<char*>(target.data());
  const size_t question = std::min(target.find('?'), target.size());
  const bool has_query = question < target.size();
  path[target.size()] = 0;
  path[question] = 0;
  request.path = path;
  fill_params(has_query ? path + question + 1 : nullptr, has_query ? target.size() - question - 1 : 0);
  fill_headers(reader);
  request.params = params_.shown();
  request.headers = headers_.shown();
  request.data = data_.shown();
  return true;
}

void RequestParts::fill_headers(http::RequestReader& reader) {
  headers_.clear();
  for (const http::HeaderPiece& header : reader.headers()) {
    char* name = reader.data(header.name);
    char* value = reader.data(header.value);
    // Behind a name stands its colon, behind a value white space or CR.
    name[header.name.length] = 0;
    value[header.value.length] = 0;
    headers_.add(name, value);
  }
}

void RequestParts::fill_params(char* query, size_t length) {
  params_.clear();
  char* end = query + length;
  while (query < end) {
    char* pair_end = std::find(query, end, '&');
    *pair_end = 0;
    char* equals = std::find(query, pair_end, '=');
    if (pair_end > query && params_.size() < http::max_form_fields) {
      const auto name_length = static_cast<size_t>(equals - query);
      char* value = equals < pair_end ? equals + 1 : pair_end;
      value[http::percent_decode_in_place(value, static_cast<size_t>(pair_end - value))] = 0;
      query[http::percent_decode_in_place(query, name_length)] = 0;
      params_.add(query, value);
    }
    query = pair_end + 1;
  }
}

bool RequestParts::fill_data(const http::RequestReader& reader) {
  data_.clear();
  texts_.clear();
  const auto keep = [&](std::string_view text) { return texts_.emplace_back(text).data(); };
  const http::HeaderPiece* type = request.content_length > 0 ? reader.find_header("content-type") : nullptr;
  const std::string media = type ? http::media_type(reader.view(type->value)) : std::string();
  const std::string_view body(request.body, static_cast<size_t>(request.content_length));
  if (media == "application/x-www-form-urlencoded") {
    auto fields = http::parse_urlencoded(body);
    if (!fields) return fault_ = std::move(fields.error().message), false;
    for (auto& [name, value] : *fields) {
      char* key = keep(name);
      data_.add(key, keep(value));
    }
  } else if (media == "multipart/form-data") {
    auto fields = http::parse_multipart(reader.view(type->value), body);
    if (!fields) return fault_ = std::move(fields.error().message), false;
    for (auto& field : *fields) {
      char* key = keep(field.name);
      data_.add(key, keep(field.value));
    }
  }
  return true;
}

}  // namespace cweb::server

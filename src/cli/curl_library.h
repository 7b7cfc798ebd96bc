// libcurl, loaded when a client command needs it. Linked in the usual way it would bring 25 libraries along (Kerberos,
// LDAP, GnuTLS, ...), which cost every start of cweb 3.5 ms and every process 1.1 MB of memory of its own: the server's
// and each compile helper's, which never use them.
#pragma once

#include <curl/curl.h>

#include "base/error.h"

namespace cweb::cli {

/// The functions that are used, with the types of <curl/curl.h>.
struct CurlLibrary {
  decltype(&curl_global_init) global_init = nullptr;
  decltype(&curl_easy_init) easy_init = nullptr;
  decltype(&curl_easy_reset) easy_reset = nullptr;
  decltype(&curl_easy_setopt) easy_setopt = nullptr;
  decltype(&curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&curl_easy_perform) easy_perform = nullptr;
  decltype(&curl_easy_strerror) easy_strerror = nullptr;
  decltype(&curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&curl_slist_append) slist_append = nullptr;
  decltype(&curl_slist_free_all) slist_free_all = nullptr;
  decltype(&curl_multi_init) multi_init = nullptr;
  decltype(&curl_multi_cleanup) multi_cleanup = nullptr;
  decltype(&curl_multi_add_handle) multi_add_handle = nullptr;
  decltype(&curl_multi_remove_handle) multi_remove_handle = nullptr;
  decltype(&curl_multi_perform) multi_perform = nullptr;
  decltype(&curl_multi_poll) multi_poll = nullptr;
  decltype(&curl_multi_info_read) multi_info_read = nullptr;
};

/// Loads libcurl and sets it up, once; it stays until the process ends. Any thread. Fails when it is not installed.
Expected<const CurlLibrary*> load_curl();

}  // namespace cweb::cli

// Resolves names: the host's own first, then the refused ones, then an explicit search of the offered libraries. Never
// the whole process: that would offer LLVM and the server itself. Any thread.
#include "jit/symbol_policy.h"

#include <dlfcn.h>
#include <elf.h>
#include <fmt/format.h>
#include <link.h>
#include <sys/auxv.h>

#include <algorithm>
#include <array>

namespace cweb::jit {
namespace {

/// libc with what belongs to it, and what cweb.h and the documentation offer.
constexpr std::array offered_libraries{"libc.so.6",       "libm.so.6", "libgcc_s.so.1", "libjansson.so.4",
                                       "libsqlite3.so.0", "libz.so.1", "libcrypto.so.3"};

struct Refusal {
  std::string_view reason;
  std::span<const std::string_view> names;  ///< one that ends with * stands for all that begin so
};

using Names = std::string_view[];

constexpr Names loader{"dlopen", "dlmopen", "dlsym", "dlvsym", "dlclose"};
constexpr Names identity{"setuid",    "setgid",      "seteuid",   "setegid",     "setreuid",  "setregid",
                         "setresuid", "setresgid",   "setfsuid",  "setfsgid",    "setgroups", "initgroups",
                         "chroot",    "personality", "reboot",    "ptrace",      "unshare",   "setns",
                         "acct",      "swapoff",     "prctl",     "capset",      "setsid",    "setpgid",
                         "setpgrp",   "daemon",      "setrlimit", "setrlimit64", "prlimit",   "prlimit64"};
constexpr Names process_state{"arch_prctl", "modify_ldt", "ulimit", "vlimit", "login_tty"};
constexpr Names processes{"clone", "_Fork", "__fork", "__libc_fork", "execveat", "fexecve", "forkpty"};
constexpr Names descriptors{"close_range", "closefrom", "__close", "__dup2", "fcloseall"};
constexpr Names signals{"bsd_signal", "ssignal",     "sysv_signal", "__sysv_signal", "sigset",
                        "sighold",    "sigrelse",    "sigignore",   "siginterrupt",  "sigblock",
                        "sigsetmask", "sigpause",    "__sigpause",  "sigvec",        "sigstack",
                        "sigreturn",  "__sigaction", "ualarm",      "timer_create"};
constexpr Names signals_taken{"sigwait",        "sigwaitinfo", "sigtimedwait", "__sigtimedwait", "sigsuspend",
                              "__sigsuspend",   "signalfd",    "profil",       "sprofil",        "moncontrol",
                              "__xpg_sigpause", "monstartup",  "__monstartup"};
constexpr Names signals_sent{"pidfd_send_signal", "pthread_attr_setsigmask_np"};
constexpr Names threads{"thrd_create", "thrd_exit", "pthread_cancel", "pthread_tryjoin_np"};
constexpr Names callbacks{"aio_read",    "aio_read64", "aio_write",    "aio_write64", "aio_fsync",
                          "aio_fsync64", "lio_listio", "lio_listio64", "mq_notify",   "getaddrinfo_a"};
constexpr Names ends_at_mistakes{"argp_parse", "argp_error", "argp_failure", "argp_state_help", "argp_usage"};
constexpr Names ends_in_loader{"_dl_signal_error", "_dl_signal_exception", "__libc_start_main", "__libc_freeres"};
constexpr Names endings{"verr", "verrx", "error_at_line", "__assert_perror_fail", "__assert", "__libc_fatal"};
constexpr Names exit_hooks{"__cxa_atexit",  "__cxa_finalize", "__cxa_thread_atexit_impl", "__cxa_at_quick_exit",
                           "at_quick_exit", "pthread_atfork", "__register_atfork",        "OPENSSL_atexit"};
constexpr Names shared_state{"json_set_alloc_funcs",
                             "json_set_alloc_funcs2",
                             "mallopt",
                             "__libc_mallopt",
                             "malloc_trim",
                             "hcreate",
                             "hdestroy",
                             "hsearch",
                             "__nss_configure_lookup",
                             "program_invocation_name",
                             "program_invocation_short_name",
                             "__progname",
                             "__progname_full",
                             "error_print_progname"};
constexpr Names shared_defaults{"pthread_setattr_default_np", "obstack_alloc_failed_handler"};
constexpr Names shared_sqlite{
    "sqlite3_shutdown",          "sqlite3_config",         "sqlite3_auto_extension", "sqlite3_cancel_auto_extension",
    "sqlite3_vfs_register",      "sqlite3_vfs_unregister", "sqlite3_os_init",        "sqlite3_reset_auto_extension",
    "sqlite3_soft_heap_limit",   "sqlite3_os_end",         "sqlite3_test_control",   "sqlite3_enable_shared_cache",
    "sqlite3_soft_heap_limit64", "sqlite3_temp_directory", "sqlite3_data_directory", "sqlite3_hard_heap_limit64"};
constexpr Names shared_openssl{"OPENSSL_cleanup",
                               "CRYPTO_set_mem_functions",
                               "CRYPTO_secure_malloc_init",
                               "CRYPTO_secure_malloc_done",
                               "CRYPTO_free_ex_index",
                               "CONF_module*",
                               "CONF_set_default_method",
                               "ENGINE_*",
                               "EVP_default_properties_enable_fips",
                               "EVP_set_default_properties",
                               "OSSL_LIB_CTX_set0_default",
                               "OSSL_PROVIDER_add_builtin",
                               "OSSL_PROVIDER_set_default_search_path",
                               "OSSL_PROVIDER_unload",
                               "OSSL_SELF_TEST_set_callback",
                               "OSSL_STORE_register_loader",
                               "OSSL_STORE_unregister_loader",
                               "OSSL_trace_set_*",
                               "RAND_set_*"};
/// Tables of names, methods and strings, which have pointers to what is added or are emptied for everybody.
constexpr Names openssl_tables{"ASN1_STRING_TABLE_cleanup",
                               "ASN1_STRING_set_default_mask*",
                               "DH_set_default_method",
                               "DSA_set_default_method",
                               "EC_KEY_set_default_method",
                               "RSA_set_default_method",
                               "UI_set_default_method",
                               "ERR_load_strings*",
                               "ERR_unload_strings",
                               "EVP_PBE_alg_add*",
                               "EVP_PBE_cleanup",
                               "EVP_PKEY_asn1_add*",
                               "EVP_PKEY_meth_add0",
                               "EVP_PKEY_meth_remove",
                               "EVP_add_cipher",
                               "EVP_add_digest",
                               "OBJ_NAME_add",
                               "OBJ_NAME_cleanup",
                               "OBJ_NAME_new_index",
                               "OBJ_NAME_remove",
                               "OBJ_sigid_free",
                               "X509V3_EXT_add",
                               "X509V3_EXT_add_alias",
                               "X509V3_EXT_add_list",
                               "X509V3_EXT_cleanup",
                               "X509_PURPOSE_add",
                               "X509_PURPOSE_cleanup",
                               "X509_TRUST_add",
                               "X509_TRUST_cleanup",
                               "X509_TRUST_set_default",
                               "X509_VERIFY_PARAM_add0_table",
                               "X509_VERIFY_PARAM_table_cleanup"};
constexpr Names kept_memory{"register_printf_*", "initstate",          "setstate",
                            "openlog",           "addseverity",        "getopt*",
                            "__posix_getopt",    "ERR_set_error_data", "pthread_mutexattr_setrobust*",
                            "__register_frame*", "__deregister_frame*"};
constexpr Names streams{"fopencookie", "open_wmemstream"};

constexpr std::array refusals{
    Refusal{"libraries that a module loads would stay when it goes; those that cweb offers are there without it",
            loader},
    Refusal{"it changes the whole server process", identity},
    Refusal{"it changes the whole server process", process_state},
    Refusal{"it copies or replaces the server process", processes},
    Refusal{"it acts on descriptors of the server", descriptors},
    Refusal{"signals belong to the server", signals},
    Refusal{"signals belong to the server", signals_taken},
    Refusal{"signals belong to the server", signals_sent},
    Refusal{"the server would not know of the thread, or lose one; use pthread_create", threads},
    Refusal{"it runs code of the module, or writes its memory, on a thread that is none of its own; use pthread_create",
            callbacks},
    Refusal{"it ends the server process", endings},
    Refusal{"it ends the server process", ends_at_mistakes},
    Refusal{"it ends the server process", ends_in_loader},
    Refusal{"it would be called after the module is gone", exit_hooks},
    Refusal{"it changes what all modules share", shared_state},
    Refusal{"it changes what all modules share", shared_defaults},
    Refusal{"it changes what all modules share", shared_sqlite},
    Refusal{"it changes what all modules share", shared_openssl},
    Refusal{"it changes what all modules share", openssl_tables},
    Refusal{"its library would keep an address of the module when that is gone", kept_memory},
    Refusal{"a stream that is left open would use the module when that is gone; open_memstream and fmemopen do not",
            streams},
};

bool stands_for(std::string_view entry, std::string_view name) {
  return entry.ends_with('*') ? name.starts_with(entry.substr(0, entry.size() - 1)) : name == entry;
}

std::string_view refusal_of(std::string_view name) {
  for (const Refusal& refusal : refusals) {
    const auto stands = [&](std::string_view entry) { return stands_for(entry, name); };
    if (std::any_of(refusal.names.begin(), refusal.names.end(), stands)) return refusal.reason;
  }
  return {};
}

/// The loader's record of the object that holds an address, or null. Takes no lock.
const void* object_of(const void* address) {
  dl_find_object found{};
  return _dl_find_object(const_cast<void*>(address), &found) == 0 ? found.dlfo_link_map : nullptr;
}

bool is_variable(const void* address) {
  Dl_info info{};
  void* entry = nullptr;
  if (dladdr1(address, &info, &entry, RTLD_DL_SYMENT) == 0 || entry == nullptr) return false;
  return ELF64_ST_TYPE(static_cast<const ElfW(Sym)*>(entry)->st_info) == STT_OBJECT;
}

}  // namespace

Expected<void> SymbolPolicy::load(const std::string& name, std::string_view whose) {
  void* const library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const reason = dlerror();
    return fail(fmt::format("cannot load {}, {}: {}", name, whose, reason == nullptr ? "no reason given" : reason));
  }
  libraries_.push_back(library);
  link_map* record = nullptr;
  CWEB_ASSERT(dlinfo(library, RTLD_DI_LINKMAP, &record) == 0);
  link_maps_.push_back(record);
  return {};
}

Expected<std::unique_ptr<SymbolPolicy>> SymbolPolicy::create(std::span<const HostSymbol> host,
                                                             const std::vector<std::string>& linked) {
  std::unique_ptr<SymbolPolicy> policy(new SymbolPolicy);
  for (const HostSymbol& symbol : host) policy->host_.emplace(symbol.name, symbol.address);

  for (const char* name : offered_libraries) {
    if (auto loaded = policy->load(name, "which modules may use"); !loaded) return std::unexpected(loaded.error());
  }
  for (const std::string& name : linked) {
    if (auto loaded = policy->load(name, "which --link names"); !loaded) return std::unexpected(loaded.error());
  }
  // libc answers for time() and gettimeofday() with the kernel's own, where the kernel brings them.
  if (const unsigned long vdso = getauxval(AT_SYSINFO_EHDR); vdso != 0) {
    policy->link_maps_.push_back(object_of(reinterpret_cast<const void*>(vdso)));
  }
  // The first of the loader's records is the program's.
  link_map* record = nullptr;
  CWEB_ASSERT(dlinfo(policy->libraries_.front(), RTLD_DI_LINKMAP, &record) == 0);
  while (record->l_prev != nullptr) record = record->l_prev;
  policy->executable_ = record;
  return policy;
}

SymbolPolicy::~SymbolPolicy() {
  for (void* library : libraries_) dlclose(library);
}

SymbolPolicy::Answer SymbolPolicy::find(const std::string& name) {
  if (const auto own = host_.find(name); own != host_.end()) return {own->second, {}};
  if (const std::string_view reason = refusal_of(name); !reason.empty()) return {nullptr, reason};
  const std::lock_guard lock(mutex_);
  if (const auto known = found_.find(name); known != found_.end()) return {known->second, {}};
  void* const address = find_in_libraries(name);
  if (address != nullptr) found_.emplace(name, address);
  return {address, {}};
}

void* SymbolPolicy::find_in_libraries(const std::string& name) const {
  for (void* library : libraries_) {
    void* const address = dlsym(library, name.c_str());
    // A handle's search goes on in what the library depends on; only what is offered itself counts.
    if (address == nullptr || !is_offered(address)) continue;
    if (!is_variable(address)) return address;
    // A program that mentions `stdout` or `environ` holds the one copy that the library uses too; the library's own is
    // then dead storage.
    void* const in_program = dlsym(RTLD_DEFAULT, name.c_str());
    return in_program != nullptr && object_of(in_program) == executable_ ? in_program : address;
  }
  return nullptr;
}

bool SymbolPolicy::is_offered(const void* address) const {
  return std::find(link_maps_.begin(), link_maps_.end(), object_of(address)) != link_maps_.end();
}

}  // namespace cweb::jit

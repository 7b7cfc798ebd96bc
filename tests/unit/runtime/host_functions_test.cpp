// The functions that modules get instead of libc's, called the way module code calls them: by name, inside a version.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <obstack.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/syscall.h>
#include <threads.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "runtime/fault_guard.h"
#include "runtime/host_symbols.h"
#include "runtime/library_heap.h"
#include "runtime/module_stop.h"
#include "runtime/module_thread.h"
#include "unit/fake_image.h"
#include "unit/runtime/host_functions_fixture.h"

namespace cweb::runtime {
namespace {

TEST_F(HostFunctionsTest, MemoryComesFromTheVersionsHeap) {
  void* block = malloc_(100);
  EXPECT_EQ(block_state(block), BlockState::live);
  free_(block);
  EXPECT_NE(block_state(block), BlockState::live);
  auto* copy = host<char*(const char*)>("strdup")("text");
  EXPECT_EQ(block_state(copy), BlockState::live);
  EXPECT_STREQ(copy, "text");
  free_(copy);
}

TEST_F(HostFunctionsTest, CallocIsZeroAndNoticesOverflow) {
  auto* calloc_ = host<void*(size_t, size_t)>("calloc");
  auto* block = static_cast<char*>(calloc_(10, 10));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(block[i], 0);
  free_(block);
  EXPECT_EQ(calloc_(SIZE_MAX, 2), nullptr);
  EXPECT_EQ(errno, ENOMEM);
}

TEST_F(HostFunctionsTest, ReallocFollowsTheStandard) {
  auto* realloc_ = host<void*(void*, size_t)>("realloc");
  auto* block = static_cast<char*>(realloc_(nullptr, 4));
  std::memcpy(block, "abc", 4);
  block = static_cast<char*>(realloc_(block, 100'000));
  EXPECT_STREQ(block, "abc");
  EXPECT_EQ(realloc_(block, 0), nullptr);
  EXPECT_NE(block_state(block), BlockState::live);
}

TEST_F(HostFunctionsTest, AlignedMemory) {
  void* block = nullptr;
  EXPECT_EQ(host<int(void**, size_t, size_t)>("posix_memalign")(&block, 4096, 10), 0);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 4096, 0U);
  free_(block);
  EXPECT_EQ(host<int(void**, size_t, size_t)>("posix_memalign")(&block, 3, 10), EINVAL);
}

TEST_F(HostFunctionsTest, DoubleFreeEndsTheCall) {
  void* block = malloc_(100);
  free_(block);
  EXPECT_NE(reason_of([&] { free_(block); }).find("free()"), std::string::npos);
}

#ifndef CWEB_SANITIZED  // there it is the sanitizer's to report
TEST_F(HostFunctionsTest, FreeOfTheInsideOfABlockEndsTheCall) {
  auto* block = static_cast<char*>(malloc_(100));
  EXPECT_NE(reason_of([&] { free_(block + 16); }), "");
  free_(block);
}
#endif

TEST_F(HostFunctionsTest, FreeOfTheModulesOwnDataEndsTheCall) {
  auto& config = const_cast<char&>(*static_cast<char*>(version_->image().symbol("config")));
  EXPECT_NE(reason_of([&] { free_(&config); }).find("static"), std::string::npos);
}

TEST_F(HostFunctionsTest, FreeOfTheResponseBufferIsAllowed) {
  char buffer[64] = {};
  set_response_buffer(buffer, sizeof buffer);
  EXPECT_EQ(reason_of([&] { free_(buffer); }), "");
  set_response_buffer(nullptr, 0);
}

TEST_F(HostFunctionsTest, ABlockInPlaceOfTheResponseBufferHasAllOfIt) {
  char buffer[64];
  std::memset(buffer, 'x', sizeof buffer);
  buffer[1] = '\0';
  set_response_buffer(buffer, sizeof buffer);
  EXPECT_EQ(host<size_t(void*)>("malloc_usable_size")(buffer), sizeof buffer);
  auto* realloc_ = host<void*(void*, size_t)>("realloc");
  auto* const larger = static_cast<char*>(realloc_(buffer, 200));
  EXPECT_EQ(std::memcmp(larger, buffer, sizeof buffer), 0);
  auto* const smaller = static_cast<char*>(realloc_(buffer + 60, 2));
  EXPECT_EQ(std::memcmp(smaller, "xx", 2), 0);
  free_(larger);
  free_(smaller);
  set_response_buffer(nullptr, 0);
}

TEST_F(HostFunctionsTest, AnIntegerThatIsTakenForABlockEndsTheCall) {
  void* volatile low = reinterpret_cast<void*>(0x1230);
  EXPECT_NE(reason_of([&] { free_(low); }).find("not a block"), std::string::npos);
  EXPECT_NE(reason_of([&] { host<void*(void*, size_t)>("realloc")(low, 10); }).find("not a block"), std::string::npos);
  EXPECT_NE(reason_of([&] { host<size_t(void*)>("malloc_usable_size")(low); }).find("not a block"), std::string::npos);
  EXPECT_NE(reason_of([&] { host<void(void*)>("sqlite3_free")(low); }).find("not a block"), std::string::npos);
  std::free(nullptr);
}

TEST_F(HostFunctionsTest, SqlitesMemoryAndTheModulesMayBeFreedEitherWay) {
  auto* sqlite_free = host<void(void*)>("sqlite3_free");
  auto* sqlite_realloc = host<void*(void*, int)>("sqlite3_realloc");
  sqlite_free(sqlite_realloc(sqlite_realloc(nullptr, 10), 1000));
  void* const block = malloc_(10);
  sqlite_free(block);
  EXPECT_NE(block_state(block), BlockState::live);
  EXPECT_NE(reason_of([&] { sqlite_free(block); }).find("freed already"), std::string::npos);
  char buffer[64] = {};
  set_response_buffer(buffer, sizeof buffer);
  EXPECT_EQ(reason_of([&] { sqlite_free(buffer); }), "");
  set_response_buffer(nullptr, 0);
}

TEST_F(HostFunctionsTest, ABlockOfSqlitesIsFreedOnceWhoeverFreesIt) {
  static void* volatile block;
  static auto* const sqlite_free = host<void(void*)>("sqlite3_free");
  static auto* const sqlite_realloc = host<void*(void*, int)>("sqlite3_realloc");
  static auto* const sqlite_size = host<sqlite3_uint64(void*)>("sqlite3_msize");
  static auto* const free = free_;
  // Nothing is allocated between the two, which might take the memory.
  const std::pair<void (*)(), const char*> wrong[] = {
      {[] { sqlite_free(block), sqlite_free(block); }, "sqlite3_free() was given a block that is freed already"},
      {[] { free(block), sqlite_free(block); }, "sqlite3_free() was given a block that is freed already"},
      {[] { sqlite_free(block), sqlite_realloc(block, 10); }, "sqlite3_realloc() was given a block that is freed"},
      {[] { free(block), sqlite_size(block); }, "sqlite3_msize() was given a block that is freed already"},
#ifndef CWEB_SANITIZED  // there it is the sanitizer's to know, or to report
      {[] { free(block), free(block); }, "free() was given a block that is freed already"},
      {[] { sqlite_free(block), sqlite3_free(block); }, "SQLite was made to free a block that is freed already"},
#endif
  };
  for (const int size : {1, 24, 32, 100, 1000, 4080, 100'000, 1'000'000}) {
    for (const auto& [calls, sentence] : wrong) {
      block = sqlite_realloc(nullptr, size);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 16, 0U);
      EXPECT_GE(sqlite_size(block), static_cast<size_t>(size));
      EXPECT_THAT(reason_of(calls), testing::StartsWith(sentence)) << size;
    }
  }
}

TEST_F(HostFunctionsTest, BlocksOfSqlitesKeepWhatIsInThemWhenTheyMove) {
  auto* const resize = host<void*(void*, size_t)>("realloc");
  constexpr size_t block_count = 600;  // some of them where a page begins
  std::vector<char*> blocks;
  for (size_t i = 0; i < block_count; ++i) {
    blocks.push_back(static_cast<char*>(sqlite3_malloc(32)));
    std::memset(blocks.back(), static_cast<int>(i % 100), 32);
  }
  for (const size_t size : {32UL, 48UL, 4080UL, 20'000UL, 32UL}) {
    for (size_t i = 0; i < block_count; ++i) {
      auto* const moved = static_cast<char*>(resize(blocks[i], size));
      ASSERT_EQ(library_block(moved), LibraryBlock::modules);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(moved) % 16, 0U);
      EXPECT_EQ(std::count(moved, moved + 32, static_cast<char>(i % 100)), 32);
      blocks[i] = moved;
    }
  }
  for (char* each : blocks) sqlite3_free(each);
}

TEST_F(HostFunctionsTest, OpensslsMemoryAndTheModulesMayBeFreedEitherWay) {
  auto* const openssl_free = host<void(void*, const char*, int)>("CRYPTO_free");
  auto* const openssl_realloc = host<void*(void*, size_t, const char*, int)>("CRYPTO_realloc");
  auto* const clear_free = host<void(void*, size_t, const char*, int)>("CRYPTO_clear_free");
  auto* const clear_realloc = host<void*(void*, size_t, size_t, const char*, int)>("CRYPTO_clear_realloc");
  const auto free_all_ways = [&](auto make) {
    openssl_free(make(), "", 0);
    free_(make());
    clear_free(make(), 10, "", 0);
    EXPECT_EQ(openssl_realloc(make(), 0, "", 0), nullptr);
    EXPECT_EQ(clear_realloc(make(), 10, 0, "", 0), nullptr);
    for (const size_t size : {5UL, 10UL, 100'000UL}) {
      void* moved = clear_realloc(openssl_realloc(make(), size, "", 0), size, size + 1, "", 0);
      EXPECT_EQ(std::memcmp(moved, "abcdefghij", std::min(size, 10UL)), 0);
      moved = host<void*(void*, size_t)>("realloc")(moved, size);
      EXPECT_EQ(std::memcmp(moved, "abcdefghij", std::min(size, 10UL)), 0);
      free_(moved);
    }
  };
  const auto fill = [](void* block) { return std::memcpy(block, "abcdefghij", 10); };
  free_all_ways([&] { return fill(OPENSSL_malloc(10)); });
  free_all_ways([&] { return fill(openssl_realloc(nullptr, 10, "", 0)); });
  free_all_ways([&] { return fill(clear_realloc(nullptr, 0, 10, "", 0)); });
  free_all_ways([&] { return fill(malloc_(10)); });
  openssl_free(nullptr, "", 0);
  clear_free(nullptr, 10, "", 0);
  EXPECT_EQ(openssl_realloc(nullptr, 0, "", 0), nullptr);
}

TEST_F(HostFunctionsTest, ABlockOfOpensslsIsFreedOnceWhoeverFreesIt) {
  static void* volatile block;
  static auto* const openssl_free = host<void(void*, const char*, int)>("CRYPTO_free");
  static auto* const clear_free = host<void(void*, size_t, const char*, int)>("CRYPTO_clear_free");
  static auto* const free = free_;
  const auto once = [] { openssl_free(block, "", 0); };
  const std::pair<void (*)(), const char*> wrong[] = {
      {[] { openssl_free(block, "", 0), openssl_free(block, "", 0); },
       "OPENSSL_free() was given a block that is freed"},
      {[] { free(block), clear_free(block, 1, "", 0); }, "OPENSSL_clear_free() was given a block that is freed"},
      {[] { openssl_free(const_cast<char*>("literal"), "", 0); }, "OPENSSL_free() was given a"},
#ifndef CWEB_SANITIZED  // there it is the sanitizer's to know, or to report
      {[] { openssl_free(block, "", 0), free(block); }, "free() was given a block that is freed already"},
      {[] {
         auto* const context = EVP_MD_CTX_new();
         EVP_MD_CTX_free(context), EVP_MD_CTX_free(context);
       },
       "OpenSSL was made to free a block that is freed already"},
#endif
  };
  for (const int size : {1, 24, 100, 4080, 1'000'000}) {
    for (const auto& [calls, sentence] : wrong) {
      block = OPENSSL_malloc(size);
      ASSERT_EQ(library_block(block), LibraryBlock::modules);
      EXPECT_THAT(reason_of(calls), testing::StartsWith(sentence)) << size;
      if (library_block(block) == LibraryBlock::modules) once();
    }
  }
}

TEST_F(HostFunctionsTest, WhatSqliteUsesForTheServerNoModuleFrees) {
  void* block = nullptr;
  {
    const HostSection section;
    block = sqlite3_malloc(10);
  }
  for (const char* const name : {"free", "sqlite3_free"}) {
    EXPECT_NE(reason_of([&] { host<void(void*)>(name)(block); }).find("cweb or a library is using"), std::string::npos);
  }
  EXPECT_NE(reason_of([&] { host<void*(void*, size_t)>("realloc")(block, 20); }).find("using"), std::string::npos);
  EXPECT_EQ(library_block(block), LibraryBlock::servers);
  sqlite3_free(block);
  EXPECT_NE(library_block(block), LibraryBlock::servers);
}

TEST_F(HostFunctionsTest, NothingOfNullIsAnEmptyText) {
  const char* volatile none = nullptr;
  auto* const copy = host<char*(const char*, size_t)>("strndup")(none, 0);
  EXPECT_STREQ(copy, "");
  free_(copy);
}

TEST_F(HostFunctionsTest, BlocksOfTheProcessCanBeFreedToo) {
  EXPECT_EQ(reason_of([&] { free_(std::malloc(10)); }), "");
}

TEST_F(HostFunctionsTest, AStoreOwnsTheValuesThatItTakesOver) {
  const auto block = [&](const char* text) { return std::strcpy(static_cast<char*>(malloc_(16)), text); };
  http_kv_store_t* store = http_kv_create(1);
  char* const first = block("1");
  char* const again = block("2");
  char* const other = block("3");
  EXPECT_EQ(http_kv_insert(store, "key", first), 0);
  EXPECT_EQ(http_kv_insert(store, "key", first), 0) << "the same once more";
  EXPECT_EQ(block_state(first), BlockState::live);
  EXPECT_EQ(http_kv_insert(store, "key", again), 0);
  EXPECT_NE(block_state(again), BlockState::live) << "the key is there already";
  EXPECT_EQ(http_kv_insert(store, "Key", other), 0);
  EXPECT_EQ(http_kv_insert(store, "literal", const_cast<char*>("4")), 0);
  EXPECT_LT(http_kv_insert(nullptr, "key", first), 0);
  EXPECT_LT(http_kv_insert(store, nullptr, first), 0);
  EXPECT_LT(http_kv_insert(store, "none", nullptr), 0);
  EXPECT_EQ(http_kv_size(store), 3U);
  EXPECT_EQ(http_kv_get(store, "key"), first);
  EXPECT_EQ(http_kv_get(store, "KEY"), nullptr);
  EXPECT_EQ(http_kv_get(nullptr, "key"), nullptr);
  http_kv_destroy(store, 1);
  EXPECT_NE(block_state(first), BlockState::live);
  EXPECT_NE(block_state(other), BlockState::live);
  store = http_kv_create(0);
  char* const kept = block("5");
  EXPECT_EQ(http_kv_insert(store, "key", kept), 0);
  http_kv_destroy(store, 0);
  EXPECT_EQ(block_state(kept), BlockState::live);
  free_(kept);
  http_kv_destroy(nullptr, 1);
}

TEST_F(HostFunctionsTest, JobsAreNotCreated) {
  cweb_uuid_t uuid;
  std::memset(&uuid, 'x', sizeof uuid);
  EXPECT_EQ((host<int(const char*, const char*, cweb_uuid_t*)>("jobs_create"))("job", "{}", &uuid), -1);
  EXPECT_STREQ(uuid.text, "");
  EXPECT_TRUE(version_->asked_for_jobs);
  EXPECT_EQ(jobs_create(nullptr, nullptr, nullptr), -1);
}

TEST_F(HostFunctionsTest, AsprintfMakesAModuleBlock) {
  char* text = nullptr;
  EXPECT_EQ(host<int(char**, const char*, ...)>("asprintf")(&text, "%d-%s", 42, "x"), 4);
  EXPECT_STREQ(text, "42-x");
  EXPECT_EQ(block_state(text), BlockState::live);
  free_(text);
}

TEST_F(HostFunctionsTest, GetlineReadsLinesOfAnyLength) {
  std::string content = std::string(5000, 'a') + "\nshort\nlast";
  FILE* file = fmemopen(content.data(), content.size(), "r");
  auto* getline_ = host<ssize_t(char**, size_t*, FILE*)>("getline");
  char* line = nullptr;
  size_t capacity = 0;
  EXPECT_EQ(getline_(&line, &capacity, file), 5001);
  EXPECT_EQ(block_state(line), BlockState::live);
  EXPECT_EQ(getline_(&line, &capacity, file), 6);
  EXPECT_STREQ(line, "short\n");
  EXPECT_EQ(getline_(&line, &capacity, file), 4);
  EXPECT_EQ(getline_(&line, &capacity, file), -1);
  free_(line);
  fclose(file);
}

TEST_F(HostFunctionsTest, MemoryStreamGrowsInTheModulesHeap) {
  char* text = nullptr;
  size_t size = 0;
  FILE* stream = host<FILE*(char**, size_t*)>("open_memstream")(&text, &size);
  ASSERT_NE(stream, nullptr);
  for (int i = 0; i < 10'000; ++i) std::fprintf(stream, "%d,", i % 10);
  host<int(FILE*)>("fclose")(stream);
  EXPECT_EQ(size, 20'000U);
  EXPECT_EQ(std::strlen(text), 20'000U);
  EXPECT_EQ(std::string_view(text).substr(0, 6), "0,1,2,");
  EXPECT_EQ(block_state(text), BlockState::live);
  free_(text);
}

TEST_F(HostFunctionsTest, StandardStreamsStayOpen) {
  EXPECT_EQ(host<int(FILE*)>("fclose")(stderr), 0);
  EXPECT_GE(fileno(stderr), 0);
  EXPECT_EQ(std::fprintf(stderr, "still open\n"), 11);
}

TEST_F(HostFunctionsTest, EndingTheProcessEndsTheCall) {
  EXPECT_NE(reason_of([&] { host<void(int)>("exit")(3); }).find("exit(3)"), std::string::npos);
  EXPECT_NE(reason_of([&] { host<void(int)>("_exit")(1); }), "");
  EXPECT_NE(reason_of([&] { host<void()>("abort")(); }).find("abort"), std::string::npos);
  EXPECT_NE(reason_of([&] {
              host<void(const char*, const char*, unsigned, const char*)>("__assert_fail")("1 == 2", "module.c", 7,
                                                                                           "f");
            }).find("module.c:7: f: assertion `1 == 2'"),
            std::string::npos);
  EXPECT_NE(reason_of([&] { host<int(int)>("raise")(SIGSEGV); }), "");
  EXPECT_NE(reason_of([&] { host<int(pid_t, int)>("kill")(getpid(), SIGKILL); }), "");
  EXPECT_NE(reason_of([&] { host<void(void*)>("pthread_exit")(nullptr); }), "");
}

TEST_F(HostFunctionsTest, AModuleMayAskTheServerToEnd) {
  sigset_t term, before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &term, &before);
  EXPECT_EQ(reason_of([&] { EXPECT_EQ((host<int(pid_t, int)>("kill"))(getpid(), SIGTERM), 0); }), "");
  const timespec at_once{};
  EXPECT_EQ(sigtimedwait(&term, nullptr, &at_once), SIGTERM);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_F(HostFunctionsTest, SignalsBelongToTheServer) {
  using Handler = void (*)(int);
  auto* signal_ = host<Handler(int, Handler)>("signal");
  EXPECT_EQ(signal_(SIGSEGV, SIG_DFL), SIG_ERR);
  EXPECT_EQ(signal_(SIGPIPE, SIG_IGN), SIG_IGN);
  struct sigaction action{};
  EXPECT_EQ((host<int(int, const struct sigaction*, struct sigaction*)>("sigaction"))(SIGTERM, &action, nullptr), -1);
  sigset_t all, before, after;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  EXPECT_EQ((host<int(int, const sigset_t*, sigset_t*)>("pthread_sigmask"))(SIG_BLOCK, &all, nullptr), 0);
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
}

TEST_F(HostFunctionsTest, ProcessesAreNotMade) {
  EXPECT_EQ(host<pid_t()>("fork")(), -1);
  EXPECT_EQ(errno, ENOTSUP);
  EXPECT_EQ(host<int()>("execv")(), -1);
}

TEST_F(HostFunctionsTest, TheServersDescriptorsCannotBeClosed) {
  const UniqueFd ours(open("/dev/null", O_RDWR | O_CLOEXEC));
  const int theirs = open("/dev/null", O_RDWR | O_CLOEXEC);
  auto* close_ = host<int(int)>("close");
  EXPECT_EQ(close_(ours.get()), -1);
  EXPECT_EQ(errno, EBADF);
  EXPECT_EQ(close_(1), -1);
  EXPECT_EQ(host<int(int, int)>("dup2")(theirs, ours.get()), -1);
  EXPECT_EQ(close_(theirs), 0);
  EXPECT_NE(fcntl(ours.get(), F_GETFD), -1);
}

TEST_F(HostFunctionsTest, AThreadOfTheModuleKeepsItsVersionUntilItEnds) {
  using Routine = void*(void*);
  auto* create = host<int(pthread_t*, const pthread_attr_t*, Routine*, void*)>("pthread_create");
  pthread_t thread{};
  const auto routine = [](void* argument) -> void* {
    EXPECT_EQ(current_version(), argument);
    return argument;
  };
  ASSERT_EQ(create(&thread, nullptr, routine, version_.get()), 0);
  void* result = nullptr;
  pthread_join(thread, &result);
  EXPECT_EQ(result, version_.get());
  EXPECT_EQ(version_->own_threads.load(), 0);
  EXPECT_EQ(version_.use_count(), 1);
}

TEST_F(HostFunctionsTest, AThreadOfTheModuleThatCallsExitEndsAlone) {
  using Routine = void*(void*);
  auto* create = host<int(pthread_t*, const pthread_attr_t*, Routine*, void*)>("pthread_create");
  pthread_t thread{};
  ASSERT_EQ(create(
                &thread, nullptr,
                [](void*) -> void* {
                  host<void(int)>("exit")(1);
                  return nullptr;
                },
                nullptr),
            0);
  pthread_join(thread, nullptr);
  EXPECT_EQ(version_->own_threads.load(), 0);
}

TEST_F(HostFunctionsTest, AThreadOfC11TellsItsNumber) {
  auto* create = host<int(thrd_t*, thrd_start_t, void*)>("thrd_create");
  for (const bool asked : {true, false}) {
    thrd_t thread{};
    ASSERT_EQ(create(&thread, [](void*) { return -42; }, nullptr), thrd_success);
    int number = 0;
    EXPECT_EQ((host<int(thrd_t, int*)>("thrd_join"))(thread, asked ? &number : nullptr), thrd_success);
    EXPECT_EQ(number, asked ? -42 : 0);
  }
  EXPECT_EQ(version_->own_threads.load(), 0);
}

TEST_F(HostFunctionsTest, KeysOfAVersionGoWithIt) {
  pthread_key_t key{};
  ASSERT_EQ((host<int(pthread_key_t*, void (*)(void*))>("pthread_key_create"))(&key, [](void*) {}), 0);
  ASSERT_EQ(pthread_setspecific(key, this), 0);
  set_current_version(nullptr);
  version_.reset();
  EXPECT_NE(pthread_setspecific(key, this), 0);
}

TEST_F(HostFunctionsTest, SignalsToTheServerEndTheCallWhateverSendsThem) {
  auto* syscall_ = host<long(long, ...)>("syscall");
  EXPECT_NE(reason_of([&] { host<int(int)>("gsignal")(SIGSEGV); }).find("signal 11"), std::string::npos);
  EXPECT_NE(reason_of([&] { host<int(pid_t, int, sigval)>("sigqueue")(getpid(), SIGKILL, {}); }), "");
  EXPECT_NE(reason_of([&] { host<int(pid_t, pid_t, int)>("tgkill")(getpid(), gettid(), SIGBUS); }), "");
  EXPECT_NE(reason_of([&] { syscall_(SYS_tgkill, getpid(), gettid(), SIGSEGV); }), "");
  EXPECT_NE(reason_of([&] { syscall_(SYS_tkill, gettid(), SIGSEGV); }), "");
  EXPECT_NE(reason_of([&] { syscall_(SYS_kill, getpid(), SIGKILL); }), "");
  EXPECT_NE(reason_of([&] { host<int(pthread_t, int, sigval)>("pthread_sigqueue")(pthread_self(), SIGSEGV, {}); }), "");
  EXPECT_EQ(host<int(pid_t, pid_t, int)>("tgkill")(getpid(), gettid(), 0), 0);
}

TEST_F(HostFunctionsTest, SyscallDoesWhatTheFunctionOfTheNameDoes) {
  auto* syscall_ = host<long(long, ...)>("syscall");
  EXPECT_NE(reason_of([&] { syscall_(SYS_exit_group, 7); }).find("exit(7)"), std::string::npos);
  EXPECT_NE(reason_of([&] { syscall_(SYS_exit, 1); }).find("exit(1)"), std::string::npos);
  const UniqueFd servers(open("/dev/null", O_RDONLY));
  EXPECT_EQ(syscall_(SYS_close, servers.get()), -1);
  EXPECT_EQ(errno, EBADF);
  EXPECT_EQ(syscall_(SYS_dup2, STDERR_FILENO, servers.get()), -1);
  EXPECT_EQ(syscall_(SYS_fcntl, servers.get(), F_SETFL, O_NONBLOCK), -1);
  for (const long number : {SYS_fork, SYS_vfork, SYS_clone, SYS_clone3, SYS_execve}) {
    EXPECT_EQ(syscall_(number, 0L, 0L, 0L, 0L, 0L), -1) << number;
    EXPECT_EQ(errno, ENOTSUP) << number;
  }
  for (const long number : {SYS_rt_sigaction, SYS_sigaltstack, SYS_setitimer, SYS_prctl, SYS_brk, SYS_close_range}) {
    EXPECT_EQ(syscall_(number, 0L, 0L, 0L, 0L, 0L), -1) << number;
    EXPECT_EQ(errno, EPERM) << number;
  }
  EXPECT_EQ(syscall_(SYS_gettid), gettid()) << "what harms nobody is done";
  const int own = ::open("/dev/null", O_RDONLY);
  EXPECT_EQ(syscall_(SYS_close, own), 0);
}

TEST_F(HostFunctionsTest, NoDescriptorSendsSignals) {
  const int own = ::open("/dev/null", O_RDONLY);
  auto* fcntl_ = host<int(int, int, ...)>("fcntl");
  EXPECT_EQ(fcntl_(own, F_SETOWN, getpid()), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(fcntl_(own, F_SETSIG, SIGSEGV), -1);
  EXPECT_EQ(fcntl_(own, F_SETFD, FD_CLOEXEC), 0);
  EXPECT_EQ(fcntl_(own, F_GETFD), FD_CLOEXEC);
  ::close(own);
  const UniqueFd servers(open("/dev/null", O_RDONLY));
  EXPECT_EQ(fcntl_(servers.get(), F_GETFD), -1);
  EXPECT_EQ(errno, EBADF);
}

int context_sum;
void add_in_context(int first, int second) {
  context_sum = first + second;
}

TEST_F(HostFunctionsTest, AContextReturnsToItsSuccessorOrIsNotMade) {
  using Make = void(ucontext_t*, void (*)(), int, ...);
  alignas(16) static char stack[64 * 1024];
  ucontext_t here{}, there{};
  ASSERT_EQ(getcontext(&there), 0);
  there.uc_stack = {.ss_sp = stack, .ss_flags = 0, .ss_size = sizeof stack};
  auto* const function = reinterpret_cast<void (*)()>(reinterpret_cast<void*>(add_in_context));
  EXPECT_NE(reason_of([&] { host<Make>("makecontext")(&there, function, 2, 3, 4); }).find("uc_link"),
            std::string::npos);
  there.uc_link = &here;
  host<Make>("makecontext")(&there, function, 2, 3, 4);
  ASSERT_EQ(swapcontext(&here, &there), 0);
  EXPECT_EQ(context_sum, 7);
}

TEST_F(HostFunctionsTest, AnObstackWithoutMemoryEndsTheCall) {
  EXPECT_NE(reason_of([] { obstack_alloc_failed_handler(); }).find("obstack"), std::string::npos);
}

}  // namespace
}  // namespace cweb::runtime

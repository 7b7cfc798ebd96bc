// What modules share with the server and with each other, and cannot spoil through the functions that they have.
#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <locale.h>
#include <mqueue.h>
#include <netdb.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sched.h>
#include <threads.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/unique_fd.h"
#include "runtime/module_locale.h"
#include "runtime/module_output.h"
#include "unit/runtime/host_functions_fixture.h"

namespace cweb::runtime {
namespace {

class HostProcessTest : public HostFunctionsTest {};

// ----------------------------------------------------------------------------------------------------- descriptors

TEST_F(HostProcessTest, LibrariesCloseNoDescriptorOfTheServers) {
  const UniqueFd ours(open("/dev/null", O_RDWR | O_CLOEXEC));
  const int fd = ours.get();
  EXPECT_EQ(host<gzFile(int, const char*)>("gzdopen")(fd, "wb"), nullptr);
  EXPECT_EQ(host<int(int)>("BIO_closesocket")(fd), 0);
  EXPECT_EQ(host<int(mqd_t)>("mq_close")(fd), -1);
  for (const char* name : {"BIO_new_fd", "BIO_new_socket", "BIO_new_dgram"}) {
    BIO_free(host<BIO*(int, int)>(name)(fd, BIO_CLOSE));
    EXPECT_NE(fcntl(fd, F_GETFD), -1) << name;
  }
  auto* ctrl = host<long(BIO*, int, long, void*)>("BIO_ctrl");
  BIO* bio = BIO_new(BIO_s_fd());
  host<long(BIO*, int, long, int)>("BIO_int_ctrl")(bio, BIO_C_SET_FD, BIO_CLOSE, fd);
  ctrl(bio, BIO_CTRL_SET_CLOSE, BIO_CLOSE, nullptr);
  BIO_free(bio);
  EXPECT_NE(fcntl(fd, F_GETFD), -1);
  bio = BIO_new_fd(fd, BIO_NOCLOSE);
  host<void(BIO*, int)>("BIO_set_shutdown")(bio, BIO_CLOSE);
  BIO_free(bio);
  EXPECT_NE(fcntl(fd, F_GETFD), -1);
}

TEST_F(HostProcessTest, LibrariesCloseWhatIsTheModules) {
  const auto theirs = [] { return open("/dev/null", O_RDWR | O_CLOEXEC); };
  int fd = theirs();
  EXPECT_EQ(gzclose(host<gzFile(int, const char*)>("gzdopen")(fd, "wb")), Z_OK);
  EXPECT_EQ(fcntl(fd, F_GETFD), -1);
  fd = theirs();
  BIO_free(host<BIO*(int, int)>("BIO_new_fd")(fd, BIO_CLOSE));
  EXPECT_EQ(fcntl(fd, F_GETFD), -1);
  fd = theirs();
  BIO* const bio = BIO_new_fd(fd, BIO_NOCLOSE);
  host<long(BIO*, int, long, void*)>("BIO_ctrl")(bio, BIO_CTRL_SET_CLOSE, BIO_CLOSE, nullptr);
  BIO_free(bio);
  EXPECT_EQ(fcntl(fd, F_GETFD), -1);
}

TEST_F(HostProcessTest, NoBioIsFreedWithoutAnError) {
  ERR_clear_error();
  EXPECT_EQ(host<int(BIO*)>("BIO_free")(nullptr), 0);
  host<void(BIO*)>("BIO_free_all")(nullptr);
  host<void(BIO*)>("BIO_vfree")(nullptr);
  EXPECT_EQ(ERR_get_error(), 0U);
}

TEST_F(HostProcessTest, LibrariesCloseNoStandardStream) {
  FILE* const output = *host<FILE**()>("__cweb_stdout")();
  BIO* bio = host<BIO*(FILE*, int)>("BIO_new_fp")(output, BIO_CLOSE);
  EXPECT_EQ(BIO_puts(bio, "a line\n"), 7);
  auto* ctrl = host<long(BIO*, int, long, void*)>("BIO_ctrl");
  ctrl(bio, BIO_C_SET_FILE_PTR, BIO_CLOSE, output);
  ctrl(bio, BIO_CTRL_SET_CLOSE, BIO_CLOSE, nullptr);
  BIO_free(bio);
  EXPECT_EQ(host<int(FILE*)>("pclose")(output), -1);
  EXPECT_EQ(host<int(FILE*)>("endmntent")(output), 1);
  EXPECT_GE(std::fputs("still open\n", output), 0);
  end_output();
}

TEST_F(HostProcessTest, WhatIsOpenIsClosedOnce) {
  auto* close_stream = host<int(FILE*)>("fclose");
  FILE* const stream = host<FILE*(const char*, const char*)>("fopen")("/dev/null", "w");
  EXPECT_EQ(host<FILE*(const char*, const char*, FILE*)>("freopen")("/dev/null", "r", stream), stream);
  EXPECT_EQ(close_stream(stream), 0);
  EXPECT_EQ(reason_of([&] { close_stream(stream); }), "fclose() was given a stream that is not open");
  EXPECT_NE(reason_of([&] { close_stream(nullptr); }), "");
  EXPECT_EQ(reason_of([&] { close_stream(std::fopen("/dev/null", "r")); }), "") << "a library's";
  EXPECT_NE(reason_of([&] { host<int(FILE*)>("pclose")(stream); }), "");
  EXPECT_NE(reason_of([&] { host<int(FILE*)>("endmntent")(stream); }), "");
  EXPECT_NE(reason_of([&] { host<FILE*(const char*, const char*, FILE*)>("freopen")("/dev/null", "r", stream); }), "");

  DIR* const directory = host<DIR*(const char*)>("opendir")("/");
  EXPECT_EQ(host<int(DIR*)>("closedir")(directory), 0);
  EXPECT_NE(reason_of([&] { host<int(DIR*)>("closedir")(directory); }), "");

  const gzFile file = host<gzFile(const char*, const char*)>("gzopen")("/dev/null", "wb");
  EXPECT_EQ(host<int(gzFile)>("gzclose_r")(file), Z_STREAM_ERROR);
  EXPECT_EQ(host<int(gzFile)>("gzclose")(file), Z_OK);
  EXPECT_NE(reason_of([&] { host<int(gzFile)>("gzclose")(file); }), "");
  EXPECT_EQ(host<int(gzFile)>("gzclose")(nullptr), Z_STREAM_ERROR);
}

TEST_F(HostProcessTest, AddressesAreFreedOnce) {
  addrinfo numeric{};
  numeric.ai_flags = AI_NUMERICHOST;
  addrinfo* list = nullptr;
  ASSERT_EQ((host<int(const char*, const char*, const addrinfo*, addrinfo**)>("getaddrinfo"))("127.0.0.1", "80",
                                                                                              &numeric, &list),
            0);
  auto* free_list = host<void(addrinfo*)>("freeaddrinfo");
  ASSERT_NE(list->ai_next, nullptr);
  addrinfo* const rest = std::exchange(list->ai_next, nullptr);
  EXPECT_EQ(reason_of([&] { free_list(rest); }), "");
  EXPECT_EQ(reason_of([&] { free_list(list); }), "");
  EXPECT_NE(reason_of([&] { free_list(list); }), "");
  EXPECT_EQ(reason_of([&] { free_list(nullptr); }), "");
}

TEST_F(HostProcessTest, AStreamOfMemoryHasNothingLeftToWrite) {
  char memory[64] = "";
  FILE* const fixed = host<FILE*(void*, size_t, const char*)>("fmemopen")(memory, sizeof memory, "w");
  std::fputs("text", fixed);
  EXPECT_STREQ(memory, "text");
  char* text = nullptr;
  size_t size = 0;
  FILE* const growing = host<FILE*(char**, size_t*)>("open_memstream")(&text, &size);
  std::fputs("text", growing);
  EXPECT_EQ(size, 4U);
  for (FILE* const each : {fixed, growing}) EXPECT_EQ(host<int(FILE*)>("fclose")(each), 0);
  free_(text);
}

TEST_F(HostProcessTest, StreamsDoNotCloseWhatIsTheServersByNow) {
  const int theirs = open("/dev/null", O_RDWR | O_CLOEXEC);
  FILE* const stream = host<FILE*(int, const char*)>("fdopen")(theirs, "w");
  ASSERT_EQ(host<int(int)>("close")(theirs), 0);
  const UniqueFd ours(open("/dev/null", O_RDWR | O_CLOEXEC));
  ASSERT_EQ(ours.get(), theirs);
  host<int(FILE*)>("fclose")(stream);
  EXPECT_NE(fcntl(ours.get(), F_GETFD), -1);
  BIO* const bio = BIO_push(BIO_new(BIO_f_base64()), BIO_new_fd(ours.get(), BIO_CLOSE));
  host<void(BIO*)>("BIO_free_all")(bio);
  EXPECT_NE(fcntl(ours.get(), F_GETFD), -1);
  host<void(BIO*)>("BIO_free_all")(nullptr);
}

// ----------------------------------------------------------------------------------------------------- threads

TEST_F(HostProcessTest, AKeyThatTheModuleDidNotMakeIsNone) {
  pthread_key_t servers{};
  ASSERT_EQ(pthread_key_create(&servers, nullptr), 0);
  ASSERT_EQ(pthread_setspecific(servers, this), 0);
  CRYPTO_THREAD_LOCAL local = servers;
  EXPECT_EQ(host<int(pthread_key_t, const void*)>("pthread_setspecific")(servers, "wild"), EINVAL);
  EXPECT_EQ(host<void*(pthread_key_t)>("pthread_getspecific")(servers), nullptr);
  EXPECT_EQ(host<int(tss_t, void*)>("tss_set")(servers, nullptr), thrd_error);
  EXPECT_EQ(host<void*(tss_t)>("tss_get")(servers), nullptr);
  EXPECT_EQ(host<int(const CRYPTO_THREAD_LOCAL*, void*)>("CRYPTO_THREAD_set_local")(&local, nullptr), 0);
  EXPECT_EQ(host<int(const CRYPTO_THREAD_LOCAL*)>("CRYPTO_THREAD_cleanup_local")(&local), 0);
  EXPECT_EQ(host<int(pthread_key_t)>("pthread_key_delete")(servers), EINVAL);
  host<void(tss_t)>("tss_delete")(servers);
  EXPECT_EQ(pthread_getspecific(servers), this);
  EXPECT_EQ(host<int(pthread_key_t)>("pthread_key_delete")(PTHREAD_KEYS_MAX), EINVAL);
  pthread_key_delete(servers);
}

TEST_F(HostProcessTest, AKeyOfTheModulesHoldsItsValueUntilItIsDeleted) {
  pthread_key_t key{};
  ASSERT_EQ(host<int(pthread_key_t*, void (*)(void*))>("pthread_key_create")(&key, nullptr), 0);
  EXPECT_EQ(host<int(pthread_key_t, const void*)>("pthread_setspecific")(key, this), 0);
  EXPECT_EQ(host<void*(pthread_key_t)>("pthread_getspecific")(key), this);
  const auto other = make_version(next_id(), "other", {});
  set_current_version(other.get());
  EXPECT_EQ(host<void*(pthread_key_t)>("pthread_getspecific")(key), nullptr) << "by another module";
  EXPECT_EQ(host<int(pthread_key_t)>("pthread_key_delete")(key), EINVAL) << "by another module";
  set_current_version(version_.get());
  EXPECT_EQ(host<int(pthread_key_t)>("pthread_key_delete")(key), 0);
  EXPECT_EQ(host<int(pthread_key_t, const void*)>("pthread_setspecific")(key, this), EINVAL);
  EXPECT_TRUE(version_->thread_keys().empty());
}

TEST_F(HostProcessTest, OnlyThreadsOfModulesAreJoinedOrDetached) {
  EXPECT_EQ(host<int(pthread_t)>("pthread_detach")(pthread_self()), EINVAL);
  EXPECT_EQ(host<int(thrd_t)>("thrd_detach")(thrd_current()), thrd_error);
  pthread_t servers{};
  ASSERT_EQ(pthread_create(&servers, nullptr, [](void*) -> void* { return nullptr; }, nullptr), 0);
  EXPECT_EQ(host<int(pthread_t, void**)>("pthread_join")(servers, nullptr), EINVAL);
  EXPECT_EQ(host<int(pthread_t, void**, const timespec*)>("pthread_timedjoin_np")(servers, nullptr, nullptr), EINVAL);
  EXPECT_EQ(host<int(thrd_t, int*)>("thrd_join")(servers, nullptr), thrd_error);
  EXPECT_EQ(pthread_join(servers, nullptr), 0);
}

TEST_F(HostProcessTest, AThreadIsJoinedOrDetachedOnce) {
  using Routine = void*(void*);
  auto* create = host<int(pthread_t*, const pthread_attr_t*, Routine*, void*)>("pthread_create");
  auto* join = host<int(pthread_t, void**)>("pthread_join");
  const auto waits = [](void* lock) -> void* {
    pthread_mutex_lock(static_cast<pthread_mutex_t*>(lock));
    pthread_mutex_unlock(static_cast<pthread_mutex_t*>(lock));
    return lock;
  };
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_t thread{};
  pthread_mutex_lock(&lock);
  ASSERT_EQ(create(&thread, nullptr, waits, &lock), 0);
  const timespec past{};
  EXPECT_EQ(host<int(pthread_t, void**, const timespec*)>("pthread_timedjoin_np")(thread, nullptr, &past), ETIMEDOUT);
  pthread_mutex_unlock(&lock);
  void* result = nullptr;
  EXPECT_EQ(join(thread, &result), 0);
  EXPECT_EQ(result, &lock);
  EXPECT_EQ(join(thread, &result), EINVAL);
  const auto detaches = [](void*) -> void* {
    EXPECT_EQ(host<int(pthread_t)>("pthread_detach")(pthread_self()), 0);
    EXPECT_EQ(host<int(pthread_t)>("pthread_detach")(pthread_self()), EINVAL);
    return nullptr;
  };
  ASSERT_EQ(create(&thread, nullptr, detaches, nullptr), 0);
  while (version_->own_threads.load() != 0) sched_yield();
}

// ----------------------------------------------------------------------------------------------------- locales

TEST_F(HostProcessTest, ALocaleEndsWithTheCall) {
  auto* use = host<locale_t(locale_t)>("uselocale");
  const locale_t made = newlocale(LC_ALL_MASK, "C.UTF-8", nullptr);
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(use(made), LC_GLOBAL_LOCALE);
  EXPECT_EQ(use(nullptr), made);
  end_locale();
  EXPECT_EQ(uselocale(nullptr), LC_GLOBAL_LOCALE);
  use(made);
  host<void(locale_t)>("freelocale")(made);
  EXPECT_EQ(uselocale(nullptr), LC_GLOBAL_LOCALE) << "one that is gone is in use no more";
}

TEST_F(HostProcessTest, TheProcesssLocaleStays) {
  auto* set = host<char*(int, const char*)>("setlocale");
  EXPECT_STREQ(set(LC_ALL, nullptr), "C");
  EXPECT_STREQ(set(LC_ALL, "C"), "C");
  EXPECT_STREQ(set(LC_ALL, "POSIX"), "C");
  EXPECT_STREQ(set(LC_ALL, ""), "C");
  EXPECT_EQ(set(LC_ALL, "C.UTF-8"), nullptr);
  EXPECT_STREQ(setlocale(LC_ALL, nullptr), "C");
}

// ----------------------------------------------------------------------------------------------------- environment

TEST_F(HostProcessTest, TheEnvironmentHasCopiesOfWhatAModuleGives) {
  auto* get = host<char*(const char*)>("getenv");
  auto* put = host<int(char*)>("putenv");
  char text[] = "CWEB_TEST_VARIABLE=a=b";
  EXPECT_EQ(put(text), 0);
  std::memset(text, 'x', sizeof text - 1);
  EXPECT_STREQ(get("CWEB_TEST_VARIABLE"), "a=b");
  EXPECT_EQ((host<int(const char*, const char*, int)>("setenv"))("CWEB_TEST_VARIABLE", "c", 1), 0);
  EXPECT_STREQ(get("CWEB_TEST_VARIABLE"), "c");
  char name[] = "CWEB_TEST_VARIABLE";
  EXPECT_EQ(put(name), 0);
  EXPECT_EQ(get("CWEB_TEST_VARIABLE"), nullptr);
  char nameless[] = "=x";
  EXPECT_EQ(put(nameless), -1);
  EXPECT_EQ(host<int(const char*)>("unsetenv")("a=b"), -1);
}

}  // namespace
}  // namespace cweb::runtime

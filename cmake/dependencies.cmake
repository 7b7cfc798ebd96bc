# Everything cweb links to, as Debian 12 packages it. `make deps` installs what is missing.

find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(CURL REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(SQLITE3 REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)

# The shared LLVM and Clang: 30 MB that the page cache holds once, instead of minutes of linking.
find_library(LLVM19_LIBRARY NAMES LLVM-19 LLVM.so.19.1 PATHS /usr/lib/llvm-19/lib REQUIRED NO_DEFAULT_PATH)
find_library(CLANG19_LIBRARY NAMES clang-cpp PATHS /usr/lib/llvm-19/lib REQUIRED NO_DEFAULT_PATH)
add_library(cweb_llvm INTERFACE)
target_include_directories(cweb_llvm SYSTEM INTERFACE /usr/lib/llvm-19/include)
target_compile_definitions(cweb_llvm INTERFACE __STDC_CONSTANT_MACROS __STDC_FORMAT_MACROS __STDC_LIMIT_MACROS _GNU_SOURCE)
# An executable with the property CWEB_STATIC_LLVM has what it needs of both inside instead (cmake/self_contained.cmake).
target_link_libraries(cweb_llvm INTERFACE
  "$<$<NOT:$<BOOL:$<TARGET_PROPERTY:CWEB_STATIC_LLVM>>>:${CLANG19_LIBRARY};${LLVM19_LIBRARY}>"
  "$<$<BOOL:$<TARGET_PROPERTY:CWEB_STATIC_LLVM>>:cweb_static_llvm>")

# jemalloc gives each module version a heap of its own (runtime/heap). The sanitizers bring their own malloc.
add_library(cweb_malloc INTERFACE)
if(NOT CWEB_SANITIZE)
  pkg_check_modules(JEMALLOC REQUIRED IMPORTED_TARGET jemalloc)
  target_link_libraries(cweb_malloc INTERFACE PkgConfig::JEMALLOC)
  target_compile_definitions(cweb_malloc INTERFACE CWEB_JEMALLOC=1)
endif()

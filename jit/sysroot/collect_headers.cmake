# Which headers modules can include, and under which path they see them.
#
# The lists come from dpkg, so that a header of some package that happens to be installed on the build machine does not
# become a promise.

# collect_headers(OUT CWEB_INCLUDE_DIR): OUT becomes a list of "path in the sysroot<TAB>file".
function(collect_headers out cweb_include_dir)
  set(packages libc6-dev linux-libc-dev libjansson-dev libsqlite3-dev zlib1g-dev libssl-dev libclang-common-19-dev)
  execute_process(
    COMMAND dpkg-query --listfiles ${packages}
    OUTPUT_VARIABLE listing
    COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]+[.]h\n" files "${listing}")

  set(clang_dir /usr/lib/llvm-19/lib/clang/19/include)
  # What Clang ships for other processors, other systems and other languages.
  string(CONCAT foreign "^(__clang_cuda|__clang_hip|altivec|arm|hexagon|hvx|htm|intrin|intrin0|larchintrin|lasx|lsx|msa|"
    "opencl|ppc|ptrauth|riscv|s390|sifive|vadefs|vecintrin|velintrin|wasm|yvals|ISO_Fortran|builtins)")

  set(headers)
  foreach(file IN LISTS files)
    string(STRIP "${file}" file)
    if(file MATCHES "^${clang_dir}/([^/]+)$")
      set(name ${CMAKE_MATCH_1})
      if(NOT name MATCHES "${foreign}")
        list(APPEND headers "/usr/lib/clang/${name}\t${file}")
      endif()
    elseif(file MATCHES "^/usr/include/(c[+][+]|clang|drm|finclude|misc|mtd|rdma|sound|video|xen)/")
      continue()
    elseif(file MATCHES "^/usr/include/")
      list(APPEND headers "${file}\t${file}")
    endif()
  endforeach()

  file(GLOB own CONFIGURE_DEPENDS ${cweb_include_dir}/*.h)
  foreach(file IN LISTS own)
    get_filename_component(name ${file} NAME)
    list(APPEND headers "/cweb/${name}\t${file}")
  endforeach()

  list(REMOVE_DUPLICATES headers)
  list(SORT headers)
  set(${out} ${headers} PARENT_SCOPE)
endfunction()

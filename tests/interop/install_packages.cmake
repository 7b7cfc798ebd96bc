# cmake -DFROM=<folder of package.json> -DTO=<folder in the build> -P install_packages.cmake
#
# Installs the packages that the lock names into TO/node_modules, unless that was done. None of their install scripts
# runs: what those would compile comes prebuilt as well.
set(stamp ${TO}/installed-lock.json)
if(EXISTS ${stamp})
  file(SHA256 ${FROM}/package-lock.json wanted)
  file(SHA256 ${stamp} installed)
  if(wanted STREQUAL installed)
    return()
  endif()
endif()

file(COPY ${FROM}/package.json ${FROM}/package-lock.json DESTINATION ${TO})
execute_process(
  COMMAND npm ci --ignore-scripts --no-audit --no-fund
  WORKING_DIRECTORY ${TO} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "npm ci: ${result}\n${output}")
endif()
configure_file(${FROM}/package-lock.json ${stamp} COPYONLY)

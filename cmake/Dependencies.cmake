# Every library we link, from pkg-config, in one place.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
foreach(lib json-c yaml-0.1 expat zlib libzstd libcrypto openssl libcurl libwebsockets libuv sqlite3 libpq cunit)
  pkg_check_modules(${lib} REQUIRED IMPORTED_TARGET ${lib})
endforeach()

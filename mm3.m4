dnl SPDX-License-Identifier: MIT OR Apache-2.0
dnl MM3_MODULE([LEAST-ABI], [IF-FOUND], [IF-NOT])
dnl For packages of mm3 modules: finds mm3 by pkg-config. Sets MM3_CFLAGS, MM3_LIBS, and mm3moduledir, the folder of
dnl modules: below the package's own libdir when mm3's is below mm3's, so that --prefix moves it too; --with-mm3-moduledir
dnl gives another. LEAST-ABI is the oldest module interface that will do, such as 1.0. An Automake module is then
dnl
dnl     mm3module_LTLIBRARIES = mm3-ring.la
dnl     mm3_ring_la_CFLAGS = $(MM3_CFLAGS) -fvisibility=hidden
dnl     mm3_ring_la_LIBADD = $(MM3_LIBS)
dnl     mm3_ring_la_LDFLAGS = -module -avoid-version -shared -no-undefined
AC_DEFUN([MM3_MODULE],
[AC_REQUIRE([PKG_PROG_PKG_CONFIG])dnl
AC_ARG_WITH([mm3-moduledir],
  [AS_HELP_STRING([--with-mm3-moduledir=DIR], [install modules for mm3 there])], [mm3moduledir=$withval], [mm3moduledir=])
mm3_found=yes
PKG_CHECK_MODULES([MM3], [mm3], [], [mm3_found=no])
AS_IF([test "x$mm3_found" = xyes], [
  AC_MSG_CHECKING([whether its module interface is at least m4_default([$1], [1.0])])
  mm3_abi=`$PKG_CONFIG --variable=module_abi mm3`
  mm3_want=m4_default([$1], [1.0])
  AS_IF([test "`echo $mm3_abi | cut -d. -f1`" = "`echo $mm3_want | cut -d. -f1`" &&
         test "`echo $mm3_abi | cut -d. -f2`" -ge "`echo $mm3_want | cut -d. -f2`"],
    [AC_MSG_RESULT([yes, $mm3_abi])], [AC_MSG_RESULT([no, $mm3_abi]); mm3_found=no])])
AS_IF([test "x$mm3_found" = xyes && test "x$mm3moduledir" = x], [
  mm3_libdir=`$PKG_CONFIG --variable=libdir mm3`
  mm3moduledir=`$PKG_CONFIG --variable=moduledir mm3 | sed "s|^${mm3_libdir:-none}/|\\${libdir}/|"`])
AC_SUBST([mm3moduledir])
AS_IF([test "x$mm3_found" = xyes], [m4_default([$2], [:])],
  [m4_default([$3], [AC_MSG_ERROR([mm3 was not found by pkg-config, or its module interface is another one])])])
])

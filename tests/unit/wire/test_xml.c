/* test_xml.c - small XML documents. */
#include "base/limits.h"
#include "unit/suite.h"
#include "wire/xml.h"

static struct xml *tree(const char *text, struct arena *a)
{
    struct xml *x = NULL;
    struct err e = {0};

    CHECK_OK(xml_read(sv_from(text), a, &x, &e), &e);
    return x;
}

static bool refused(const char *text)
{
    auto_arena a = {0};
    struct xml *x;
    struct err e = {0};

    return !xml_read(sv_from(text), &a, &x, &e);
}

static void text_is_found_by_path_whatever_the_namespace(void)
{
    auto_arena a = {0};
    struct xml *x = tree(
        "<R xmlns=\"urn:x\"><Role>\n <Arn>a&amp;b</Arn> <n:Name xmlns:n=\"y\">t</n:Name></Role></R>",
        &a);

    CHECK_SV(x->name, SV("R"));
    CHECK_SV(xml_text(x, SV("Role/Arn")), SV("a&b"));
    CHECK_SV(xml_text(x, SV("Role/Name")), SV("t"));
    CHECK_SV(xml_text(x, SV("Role/None")), SV(""));
    CHECK_SV(xml_text(xml_find(x, SV("None")), SV("Arn")), SV(""));
}

static void siblings_of_one_name_are_walked(void)
{
    auto_arena a = {0};
    const struct xml *m =
        xml_find(tree("<L><member>a</member><other/><member>b</member></L>", &a), SV("member"));

    NEED(m);
    m = xml_next(m);
    NEED(m);
    CHECK_SV(m->text, SV("b"));
    CHECK(xml_next(m) == NULL);
}

static void broken_and_dangerous_documents_are_refused(void)
{
    CHECK(refused(""));
    CHECK(refused("<a>"));
    CHECK(refused("<a></b>"));
    CHECK(refused("<a/><b/>"));
    CHECK(refused("text"));
    CHECK(refused("<a:/>"));
    CHECK(refused("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>"));
    CHECK(refused("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>"));
    CHECK(refused("<a>&unknown;</a>"));
}

static void depth_has_a_limit(void)
{
    auto_arena a = {0};

    for (int depth = LIMIT_XML_DEPTH; depth <= LIMIT_XML_DEPTH + 1; depth++) {
        struct buf b = buf_new(&a, 10000);

        for (int i = 0; i < depth; i++)
            buf_add(&b, SV("<a>"));
        for (int i = 0; i < depth; i++)
            buf_add(&b, SV("</a>"));
        CHECK_INT(refused(buf_sv(&b).p), depth > LIMIT_XML_DEPTH);
    }
}

static void every_prefix_fails_cleanly(void)
{
    auto_arena a = {0};
    struct sv text = SV("<?xml version=\"1.0\"?><a x=\"1\"><b>t&lt;</b><!-- c --><c/></a>");
    struct xml *x;
    struct err e = {0};

    for (size_t n = 0; n < text.n; n++)
        CHECK(!xml_read(sv_first(text, n), &a, &x, &e));
}

static void escaping_reads_back(void)
{
    auto_arena a = {0};
    struct buf b = buf_new(&a, 100);

    buf_add(&b, SV("<k>"));
    xml_escape(&b, SV("a<b>&\"c'\r\nd"));
    buf_add(&b, SV("</k>"));
    CHECK_SV(tree(buf_sv(&b).p, &a)->text, SV("a<b>&\"c'\r\nd"));
}

SUITE("wire/xml", TEST(text_is_found_by_path_whatever_the_namespace),
      TEST(siblings_of_one_name_are_walked), TEST(broken_and_dangerous_documents_are_refused),
      TEST(depth_has_a_limit), TEST(every_prefix_fails_cleanly), TEST(escaping_reads_back))

Deno.serve({ port: +Deno.env.get('PORT'), hostname: '127.0.0.1' }, async (req) => {
  const path = new URL(req.url).pathname
  if (path === '/slow') await new Promise((r) => setTimeout(r, 2000))
  if (path === '/read') await req.text()
  return new Response('ok')
})

/* Cashier, launch and results. */
(function(){
/* the chosen way names the button */
qa('input[name=method]').forEach(function(r){r.addEventListener('change',function(){q('#lbl').textContent=r.dataset.l})});
/* an agreement is read before it is agreed to; the server counts as well */
var wt=q('[data-wait]');if(wt){var wn=+wt.dataset.wait,wl=wt.textContent;wt.disabled=true;(function k(){wt.lastElementChild.textContent=wn>0?wl+' ('+wn+')':wl;wt.disabled=wn>0;if(wn-->0)setTimeout(k,1000)})()}
/* the result: told by events; else asked after 1 2 3 5 8 10 10 … seconds, and at once when the payer comes back */
function late(){qa('[data-late]').forEach(function(e){e.hidden=false})}
var po=q('[data-poll]');if(po){var w=[1,2,3,5,8],i=0,P=po.dataset,busy,timer,
next=function(j){if(j&&/^\/[^/]/.test(j.next||'')){location.replace(j.next);return 1}},
ask=function(){clearTimeout(timer);if(busy)return;busy=1;fetch(P.poll,{headers:{accept:'application/json'},credentials:'same-origin'}).then(function(r){if(!r.ok)throw 0;return r.json()}).then(function(j){busy=0;next(j)||again()}).catch(function(){busy=0;again()})},
again=function(){clearTimeout(timer);if(P.lazy==null&&i<99)timer=setTimeout(ask,(i<5?w[i]:10)*1000),i++};
d.addEventListener('visibilitychange',function(){if(!d.hidden)ask()});
if(P.events&&window.EventSource){var es=new EventSource(P.events);es.onmessage=function(e){try{if(next(JSON.parse(e.data)))es.close()}catch(x){}};es.onerror=function(){if(es.readyState===2)again()}}else again()}
setTimeout(late,q('#launch,#jump,#out')?5000:30000);
/* starting a payment: the app's own bridge, the channel's address, or a form sent before the page has loaded, so that the way back does not lead here */
var la=q('#launch'),ju=q('#jump'),ou=q('#out');if(ju)setTimeout(function(){location.replace(ju.href)},300);if(ou)ou.submit();
if(la){var L=la.dataset,name=L.wx?'WeixinJSBridge':'AlipayJSBridge',end=function(u){location.replace(u)},
start=function(){if(L.wx)WeixinJSBridge.invoke('getBrandWCPayRequest',JSON.parse(L.wx),function(r){var m=r&&r.err_msg||'';end(/:ok$/.test(m)?L.ok:/:cancel$/.test(m)?L.cancel:L.fail)});
else AlipayJSBridge.call('tradePay',{tradeNO:L.ali},function(r){var c=String(r&&r.resultCode);end(/^(9000|8000|6004)$/.test(c)?L.ok:c==='6001'?L.cancel:L.fail)})};
if(window[name])start();else d.addEventListener(name+'Ready',start,false);
q('#again').addEventListener('click',function(){if(window[name])start();else late()})}
})();
